// The checks of a row of scores, as connectors/formats/rap.py does them, by the tables of rules.json.
import { elfproef, whole } from './numbers.js'
import { FileFault, reader } from './text.js'

/**
 * @typedef {Object} Rules rules.json, made by portal/rules.py
 * @typedef {{regel: number, cells: string[], code: string, veld: string, bsn?: string, toewijzing?: string,
 *   beschikking?: string, doel?: number, beoordelaar?: string, waarde?: number | null}} Checked
 * ``cells``: BSN, beschikkingsnummer, toewijzingsnummer, type and waarde as they stand in the row
 */

/** A table's own entry: a cell may hold ``constructor``. */
const entry = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined)

/** What checks rows against each other and by themselves: one for each delivery. @param {Rules} rules */
export function checker(rules) {
  const { types, gas, probleem, beschikking: longest } = rules
  const seen = new Set(), isNumber = elfproef(rules)
  const integer = whole(rules.patterns.number), pseudonym = whole(rules.patterns.pseudonym)

  /** @param {number} regel @param {string[]} cells @returns {Checked} */
  return (regel, cells) => {
    const [bsn, decision, number, kind, value] = cells
    const refused = (code, veld) => ({ regel, cells, code, veld })
    if (!isNumber(bsn)) return refused(pseudonym.test(bsn) ? 'R09' : 'R01', 'BSN')
    if (!number && !decision) return refused('R02', 'Toewijzingsnummer')
    if (number && !integer.test(number)) return refused('R03', 'Toewijzingsnummer')
    if ([...decision].length > longest) return refused('R08', 'Beschikkingsnummer')
    const type = entry(types, kind.toUpperCase())
    if (!type) return refused('R04', 'Type')
    const waarde = entry(type[0] ? gas : probleem, value)
    if (waarde === undefined) return refused('R05', 'Waarde')
    const toewijzing = number ? String(Number(number)) : ''
    const key = JSON.stringify([bsn, toewijzing || `B${decision}`, ...type])
    if (seen.has(key)) return refused('R06', '')
    seen.add(key)
    return { regel, cells, code: '', veld: '', bsn, toewijzing, beschikking: decision, doel: type[0], beoordelaar: type[1], waarde }
  }
}

/**
 * The rows of a text: a CSV file, or cells pasted from a spreadsheet.
 * @param {Rules} rules @param {string} text
 * @param {boolean} pasted a last row without an end is whole then, and a header may be missing
 * @returns {Checked[]}
 * @throws {FileFault} B01 without data, B03 the file ends within a row, B06 without a usable header
 */
export function parse(rules, text, pasted = false) {
  const read = reader(rules), check = checker(rules), found = []
  const plain = pasted ? (line) => plainHeader(rules, line) : null
  let header = null
  for (const one of read.rows(text, rules.columns, rules.needed, plain)) {
    if (header) found.push(row(read, rules, check, header, { ...one, closed: one.closed || pasted }))
    else header = one
  }
  return found
}

/** Cells without a header: in the order of the columns, between the first separator that the line has. */
function plainHeader({ columns, csv: { separators } }, line) {
  const separator = ['\t', ...separators].find((one) => line.includes(one)) ?? separators[0]
  return { separator, places: Object.fromEntries(columns.map((name, place) => [name, place])), width: columns.length }
}

function row(read, rules, check, header, { line, number, cells, closed }) {
  const { places, width } = header
  if (cells?.length !== width) {
    if (!closed) throw new FileFault('B03', number)
    return { regel: number, cells: [line], code: 'R07', veld: '' }
  }
  const told = rules.columns.map((name) => read.strip(cells[places[name]] ?? ''))
  if (!closed && !endsWhole(rules, header, read.strip(cells.at(-1)))) throw new FileFault('B03', number)
  return check(number, told)
}

/** Whether the last cell of a last row without an end cannot be the beginning of something longer. */
function endsWhole({ types, gas, probleem }, { places, width }, cell) {
  const last = Object.keys(places).find((name) => places[name] === width - 1)
  if (last === 'bsn') return [...cell].length >= 9
  if (last === 'type') return entry(types, cell.toUpperCase()) !== undefined
  return last === 'waarde' && (entry(gas, cell) ?? entry(probleem, cell)) !== undefined
}

/** The number with stars before its last three digits. @param {string} number */
export const masked = (number) => '*'.repeat(Math.max(0, number.length - 3)) + number.slice(-3)
