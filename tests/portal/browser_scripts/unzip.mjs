// Files and the rules from standard input; per file what is in it, as the browser unpacks it: name and bytes, or a fault.
import { readFileSync } from 'node:fs'
import { fromBase64, toBase64 } from './src/bytes.js'
import { unpacked } from './src/unzip.js'

const { files, rules } = JSON.parse(readFileSync(0, 'utf8'))
const told = []
for (const { name, raw } of files) {
  const found = []
  for await (const one of unpacked(fromBase64(raw), name, rules)) found.push([one.name, one.fault?.code ?? toBase64(one.raw)])
  told.push(found)
}
console.log(JSON.stringify(told))
