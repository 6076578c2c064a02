// The lines of a CBS file as fields: fixed places, CSV or an Excel sheet, by the declared layout, as
// connectors/formats/cbs/rows.py does.
import { cells as cellsOf, Day } from './cbs_xlsx.js'
import { writtenDigits } from './numbers.js'
import { FileFault, reader } from './text.js'

/** What Python's ``splitlines`` ends a line at. */
const ENDS = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/
const DIGITS = /^[0-9]*$/, BARE = /^(?:[!-~](?:[ -~]*[!-~])?)?$/
const PAIRS = /[\ud800-\udfff]/
const NO_WINDOWS = [0x81, 0x8d, 0x8f, 0x90, 0x9d]
const PIECE = 262_144, HEAD = 65_536

/** Encoding of a file as the connector finds it, '' for none. @throws {FileFault} B03 where it ends within a character */
export function encodingOf(raw) {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let ends = 0, isUtf8 = true
  try {
    for (let at = 0; at < raw.length; at += PIECE) {
      const text = decoder.decode(raw.subarray(at, at + PIECE), { stream: true })
      ends += (text.match(/\n/g) ?? text.match(/\r/g) ?? []).length
    }
  } catch {
    isUtf8 = false
  }
  if (!isUtf8) return raw.includes(0) || NO_WINDOWS.some((byte) => raw.includes(byte)) ? '' : 'windows-1252'
  try {
    decoder.decode()
  } catch {
    throw new FileFault('B03', ends + 1)
  }
  return 'utf-8'
}

/** Whether the first line holds most of the headings that are needed. */
export function isCsv(head, rules, layout) {
  const read = reader(rules), wanted = Object.fromEntries(layout.columns)
  if (!layout.columns.length) return false
  const line = head.split(ENDS).find((one) => !read.isBlank(one) && !read.isHint(one)) ?? ''
  const names = rules.cbs.needed.map((field) => wanted[field])
  return Object.keys(read.bestHeader(read.seen(line), names).places).length * 2 > names.length
}

/** A stretch of a line; places count characters. */
const cut = (line, start, stop) => (PAIRS.test(line) ? [...line].slice(start, stop).join('') : line.slice(start, stop))

/** Whether one of the first lines has a BSN and a first day in their places. */
export function isFixed(head, rules, layout) {
  const read = reader(rules), places = Object.fromEntries(layout.places.map(([field, ...place]) => [field, place]))
  if (!layout.places.length) return false
  const digits = new Set(rules.cbs.digits), isDigits = (text) => text !== '' && [...text].every((one) => digits.has(one))
  return head.split(ENDS).filter((line) => !read.isBlank(line)).slice(0, 5).some((line) => {
    const bsn = cut(line, ...places.bsn)
    return [...bsn].length === 9 && isDigits(bsn) && isDigits(read.strip(cut(line, ...places.begindatum)))
  })
}

/** A day that a person wrote as d-m-jjjj or dd-mm-jjjj as JJJJMMDD; anything else as it is. */
export const written = (rules, text, field) =>
  (rules.cbs.days.includes(field) && !DIGITS.test(text) && writtenDigits(rules, text)) || text

/** Without white space around it; most cells have none. */
const stripped = (read, text) => (BARE.test(text) ? text : read.strip(text))

/**
 * Every data line: its number and its fields, null when it has not the form of the layout.
 * @param {Uint8Array} raw @param {import('./checks.js').Rules} rules @param {object} layout @param {string} encoding
 * @throws {FileFault}
 */
export function* lines(raw, rules, layout, encoding) {
  if (!encoding) throw new FileFault('B04')
  if (hasLongLine(raw, rules.cbs.bounds.line)) throw new FileFault('B02')
  const head = new TextDecoder(encoding).decode(raw.subarray(0, HEAD)), text = new TextDecoder(encoding).decode(raw)
  yield* isCsv(head, rules, layout) ? csv(text, rules, layout) : fixed(text, rules, layout)
}

function hasLongLine(raw, most) {
  let began = 0
  for (let at = 0; at <= raw.length; at += 1) {
    const byte = at < raw.length ? raw[at] : 10
    if (byte !== 10 && byte !== 13) continue
    if (at - began > most) return true
    began = at + 1
  }
  return false
}

function* csv(text, rules, layout) {
  const read = reader(rules), { whole: closing, bounds, needed } = rules.cbs, wanted = Object.fromEntries(layout.columns)
  const rows = read.rows(text, Object.values(wanted), Object.fromEntries(needed.map((field) => [field, [wanted[field]]])))
  const { value: header } = rows.next()
  const places = layout.columns.filter(([, column]) => Object.hasOwn(header.places, column))
    .map(([field, column]) => [field, header.places[column]])
  const last = places.find(([, place]) => place === header.width - 1)?.[0] ?? ''
  const least = Object.hasOwn(closing, last) ? closing[last] : bounds.line
  for (const { number, cells, closed } of rows) {
    const whole = cells?.length === header.width ? cells : null
    if (!closed && (!whole || [...read.strip(whole.at(-1))].length < least)) throw new FileFault('B03', number)
    const texts = whole && Object.fromEntries(places.map(([field, place]) => [field, written(rules, stripped(read, whole[place]), field)]))
    yield { number, texts }
  }
}

function* fixed(text, rules, layout) {
  const { places } = layout, read = reader(rules), strip = (text) => stripped(read, text)
  if (!places.length) throw new FileFault('B06')
  const stop = (field) => places.find(([name]) => name === field)[2]
  const width = Math.max(...places.map(([, , end]) => end)), least = Math.min(stop('hulpvorm'), stop('begindatum'))
  const all = text.split(/\r\n|\n|\r/), last = all.length - 1
  let data = 0
  for (const [at, line] of all.entries()) {
    if (at === last && !line) break
    const content = line.replace(/[\n\x1a]+$/, '')
    if (!strip(content)) continue
    data += 1
    const long = PAIRS.test(content) ? [...content].length : content.length
    if (at === last && long < width) throw new FileFault('B03', at + 1)
    const texts = long < least ? null : Object.fromEntries(places.map(([field, from, to]) => [field, strip(cut(content, from, to))]))
    yield { number: at + 1, texts }
  }
  if (!data) throw new FileFault('B01')
}

/**
 * The same of an Excel sheet.
 * @param {Uint8Array} raw @param {import('./checks.js').Rules} rules @param {object} layout @throws {FileFault}
 */
export async function sheetLines(raw, rules, layout) {
  const read = reader(rules), { needed, sheet } = rules.cbs, found = []
  const placesOf = (row) => {
    const names = row.map((cell) => (cell === null ? '' : read.strip(read.seen(shown(cell))).toLowerCase()))
    const once = layout.columns.filter(([, column]) => names.filter((name) => name === column).length === 1)
    return new Map(once.map(([field, column]) => [field, names.indexOf(column)]))
  }
  const missing = (places) => needed.find((field) => !places.has(field)) ?? ''
  let places = null
  for (const [number, row] of await cellsOf(raw, sheet, layout.sheet, (values) => !missing(placesOf(values)))) {
    if (row.every((cell) => cell === null || cell === '')) continue
    if (places) {
      const texts = [...places].map(([field, place]) => [field, textOf(rules, read, row[place], field)])
      found.push({ number, texts: Object.fromEntries(texts) })
      continue
    }
    places = placesOf(row)
    if (missing(places)) throw new FileFault('B06', number, missing(places))
  }
  if (!found.length) throw new FileFault('B01')
  return found
}

/** A cell as a text, as Python writes it. */
function shown(cell) {
  if (cell instanceof Day) return cell.text
  if (typeof cell === 'boolean') return cell ? 'True' : 'False'
  if (typeof cell !== 'number') return cell
  if (!Number.isFinite(cell)) return cell < 0 ? '-inf' : 'inf'
  if (cell === 0 || Math.abs(cell) >= 1e-4) return String(cell)
  return cell.toExponential().replace(/e-([0-9])$/, 'e-0$1')
}

/** A cell as an ASCII file would hold it: days as JJJJMMDD, numbers with their leading zeros. */
function textOf(rules, read, cell, field) {
  if (cell === null) return ''
  if (cell instanceof Day) return cell.text
  if (!Number.isInteger(cell)) return written(rules, read.strip(read.seen(shown(cell))), field)
  if (Math.abs(cell) >= 1e12) return '?'
  const { width } = rules.cbs, long = Object.hasOwn(width, field) ? width[field] : 0, digits = String(Math.abs(cell))
  return cell < 0 ? `-${digits.padStart(long - 1, '0')}` : digits.padStart(long, '0')
}
