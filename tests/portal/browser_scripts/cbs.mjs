// CBS files (base64), layouts and the rules from standard input; per file its records as the browser reads them, or its fault.
import { readFileSync } from 'node:fs'
import { fromBase64 } from './src/bytes.js'
import { read, recognise } from './src/cbs.js'
import { FileFault, reader } from './src/text.js'

const { rules, layouts, files, today } = JSON.parse(readFileSync(0, 'utf8'))
const answers = []
for (const { layout, periode, file } of files) {
  const raw = fromBase64(file), tally = { outside: 0 }, given = layouts[layout] ?? null
  const head = reader(rules).seen(new TextDecoder().decode(raw.subarray(0, 65_536)))
  const began = performance.now()
  let records
  try {
    records = await read(raw, { rules, kind: 'cbs', sender: '', today, layout: given, periode, tally })
  } catch (fault) {
    if (!(fault instanceof FileFault)) throw fault
    records = [fault.code, fault.row, fault.veld]
  }
  const ms = performance.now() - began
  answers.push({ recognised: recognise(head, rules, given) !== null, records, outside: tally.outside, ms })
}
console.log(JSON.stringify(answers))
