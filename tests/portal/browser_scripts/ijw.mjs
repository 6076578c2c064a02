// Messages (base64) and the rules from standard input; per message its records as the browser reads them, or its fault.
import { readFileSync } from 'node:fs'
import { fromBase64 } from './src/bytes.js'
import { read, recognise } from './src/ijw.js'
import { FileFault } from './src/text.js'

const { rules, files, today } = JSON.parse(readFileSync(0, 'utf8'))
const attempt = (work) => {
  try {
    return work()
  } catch (fault) {
    if (!(fault instanceof FileFault)) throw fault
    return { fault: [fault.code, fault.row, fault.veld], found: fault.found.map(({ code, row, veld }) => [code, row, veld]) }
  }
}
const told = ({ kind, sender, file }) => {
  const raw = fromBase64(file), head = new TextDecoder().decode(raw.subarray(0, 65_536))
  const began = performance.now()
  const read_ = attempt(() => read(raw, { rules, kind, sender, today, layout: null, periode: '' }))
  return { recognised: attempt(() => recognise(head, rules)), read: read_, ms: performance.now() - began }
}
console.log(JSON.stringify(files.map(told)))
