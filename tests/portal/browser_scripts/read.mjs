// Files and the rules from standard input; per file its records as the browser reads them, or its fault.
import { readFileSync } from 'node:fs'
import { fromBase64 } from './src/bytes.js'
import { COLUMNS } from './src/readers.js'
import { readFile } from './src/recognise.js'
import { FileFault } from './src/text.js'

const { files, ...context } = JSON.parse(readFileSync(0, 'utf8'))
const outcome = (kind) => (row) => {
  if (kind === 'score') return [row.regel, row.code, row.veld]
  if (row.cells.length !== COLUMNS[kind].length) throw new Error(`cells of ${kind}`)
  return [row.regel, row.regels, row.code, row.veld, row.bsn, row.fallback ?? '', row.fact, row.cells]
}
async function read({ name, raw }) {
  try {
    const { kind, records, outside } = await readFile(fromBase64(raw), name, context)
    return { kind, outside, records: records.map(outcome(kind)) }
  } catch (fault) {
    if (!(fault instanceof FileFault)) throw fault
    return { fault: [fault.code, fault.row, fault.veld], found: fault.found.map(({ code, row, veld }) => [code, row, veld]) }
  }
}
const told = []
for (const file of files) told.push(await read(file))
console.log(JSON.stringify(told))
