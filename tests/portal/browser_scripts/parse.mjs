// Files (base64) and the rules from standard input; per file its rows as the browser reads them, or its fault.
import { readFileSync } from 'node:fs'
import { fromBase64 } from './src/bytes.js'
import { parse } from './src/checks.js'
import { decode, FileFault } from './src/text.js'

const { rules, files } = JSON.parse(readFileSync(0, 'utf8'))
const outcome = (row) =>
  row.code
    ? [row.regel, row.code, row.veld]
    : [row.regel, row.bsn, row.toewijzing, row.beschikking, row.doel, row.beoordelaar, row.waarde]
const read = (file) => {
  try {
    return parse(rules, decode(fromBase64(file))).map(outcome)
  } catch (fault) {
    if (!(fault instanceof FileFault)) throw fault
    return [fault.code, fault.row, fault.veld]
  }
}
console.log(JSON.stringify(files.map(read)))
