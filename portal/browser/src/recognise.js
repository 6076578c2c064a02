// What a file is, from its first bytes, as connectors/delivery/recognise.py tells. A name alone decides nothing.
import * as cbs from './cbs.js'
import * as cem from './cem.js'
import { parse } from './checks.js'
import * as ijw from './ijw.js'
import { whole } from './numbers.js'
import { decode, FileFault, reader } from './text.js'

/** @typedef {import('./readers.js').Context} Context @typedef {import('./readers.js').FileRecord} FileRecord */

const SHEET = 'PK\x03\x04', OLD_OFFICE = '\xd0\xcf\x11\xe0'
const UTF_16 = { '\xff\xfe': 'utf-16le', '\xfe\xff': 'utf-16be' }
/** What Python's ``splitlines`` ends a line at. */
const ENDS = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/
const ENCRYPTED = 'E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0', WORKBOOK = 'W\0o\0r\0k\0b\0o\0o\0k\0'

/** Bytes as characters of the same numbers. */
const latin = (raw) => {
  const parts = []
  for (let at = 0; at < raw.length; at += 8_192) parts.push(String.fromCharCode(...raw.subarray(at, at + 8_192)))
  return parts.join('')
}

/**
 * Kind and sender of a file.
 * @param {Uint8Array} raw @param {string} name @param {Pick<Context, 'rules' | 'layout'>} context
 * @returns {{kind: string, sender: string}} @throws {FileFault}
 */
export function recognise(raw, name, { rules, layout = null }) {
  const head = raw.subarray(0, rules.recognise.head), told = latin(head), called = name.split('/').at(-1).toLowerCase()
  if (isLitter(rules, told, called)) throw new FileFault('B21', 0, 'geen levering')
  if (!/[^\xef\xbb\xbf \t\r\n]/.test(told)) throw new FileFault('B01')
  if (told.startsWith(OLD_OFFICE)) throw new FileFault(isWorkbook(told, called) ? 'B23' : 'B14')
  if (told.startsWith(SHEET)) {
    if (!layout) throw new FileFault('B14')
    return { kind: 'cbs', sender: '' }
  }
  if (rules.recognise.packed.some((one) => told.startsWith(one))) throw new FileFault('B26')
  const begin = told.replace(/^\xef\xbb\xbf/, '').trimStart()
  if (new RegExp(`^(?:${rules.recognise.page})`, 'i').test(begin)) throw new FileFault('B27')
  const encoding = UTF_16[told.slice(0, 2)] ?? 'utf-8'
  if (encoding === 'utf-8' && told.includes('\0')) throw new FileFault('B04')
  const text = new TextDecoder(encoding).decode(head)
  if (encoding !== 'utf-8' && text.trimStart().startsWith('<')) throw new FileFault('B04') // a message is in UTF-8
  return begin.startsWith('<') ? xml(rules, text) : csv(rules, text, layout, head)
}

function isLitter(rules, told, name) {
  const { names, begin, end, bytes } = rules.recognise.litter
  return names.includes(name) || begin.some((one) => name.startsWith(one)) || end.some((one) => name.endsWith(one))
    || bytes.some((one) => told.startsWith(one))
}

const isWorkbook = (told, name) => !told.includes(ENCRYPTED) && (name.endsWith('.xls') || told.includes(WORKBOOK))

function xml(rules, text) {
  const found = ijw.recognise(text, rules)
  if (!found) throw new FileFault('B02')
  return found
}

function csv(rules, given, layout, head) {
  const read = reader(rules), text = read.seen(given)
  const table = cbs.recognise(text, rules, layout, head)
  if (table) return table
  const lines = text.split(ENDS).filter((line) => !read.isBlank(line) && !read.isHint(line))
  if (!lines.length) throw new FileFault('B02')
  const known = (line, columns) => Object.keys(read.bestHeader(line, columns).places).length
  const score = known(lines[0], rules.columns), questionnaire = known(lines[0], rules.cem.columns)
  if (score < 2 && questionnaire < rules.cem.recognised) return belowATitle(rules, read, lines) ?? headless(rules, lines[0])
  if (score > questionnaire) return { kind: 'score', sender: '' }
  return { kind: 'cem', sender: firstProvider(rules, read, lines) }
}

/** A file whose header stands below a title: its kind is told, so that the refusal says what is wrong (B06). */
function belowATitle(rules, read, lines) {
  const isHeader = (line, columns, needed) => {
    const { places } = read.bestHeader(line, columns)
    return Object.values(needed).every((choice) => choice.some((name) => Object.hasOwn(places, name)))
  }
  for (let at = 1; at < Math.min(lines.length, rules.recognise.title_lines); at += 1) {
    if (isHeader(lines[at], rules.cem.columns, rules.cem.needed)) {
      return { kind: 'cem', sender: firstProvider(rules, read, lines.slice(at)) }
    }
    if (isHeader(lines[at], rules.columns, rules.needed)) return { kind: 'score', sender: '' }
  }
  return null
}

/** A file that starts with data is of a kind too. */
function headless(rules, line) {
  const cells = line.split(/[;,\t]/).map((cell) => cell.replace(/^[ "]+|[ "]+$/g, '')), agb = whole(rules.patterns.agb)
  if (cells.some((cell) => cell.startsWith('CEM+_'))) return { kind: 'cem', sender: cells.find((cell) => agb.test(cell)) ?? '' }
  const isType = (cell) => Object.hasOwn(rules.types, cell.toUpperCase())
  if (cells.length === rules.columns.length && cells.some(isType)) return { kind: 'score', sender: '' }
  throw new FileFault('B02')
}

function firstProvider(rules, read, lines) {
  const { separator, places } = read.bestHeader(lines[0], rules.cem.columns), agb = whole(rules.patterns.agb)
  if (!Object.hasOwn(places, 'zorgaanbieder_id')) return ''
  for (const line of lines.slice(1)) {
    const cell = read.strip(read.split(line, separator)?.[places.zorgaanbieder_id] ?? '')
    if (agb.test(cell)) return cell
  }
  return ''
}

/** Whether a table is made of lines of a length that people write. */
function isSensible(raw, most) {
  for (let at = 0; at + most <= raw.length; at += most) {
    if (!raw.subarray(at, at + most).some((byte) => byte === 10 || byte === 13)) return false
  }
  return true
}

/** In place of a code: a file that is delivered in another way. */
export const ELSEWHERE = 'elders'
const READ = { cem: cem.read, start: ijw.read, stop: ijw.read, declaration: ijw.read, cbs: cbs.read }

/**
 * A whole file. ``rows`` of scores are as ``checks.parse`` has them; a file of another kind has records.
 * @param {Uint8Array} raw @param {string} name @param {Omit<Context, 'kind' | 'tally'>} given
 * @returns {Promise<{kind: string, records: FileRecord[], outside: number}>} @throws {FileFault} with its ``kind`` if known
 */
export async function readFile(raw, name, given) {
  const { kind, sender } = recognise(raw, name, given)
  try {
    if (kind !== 'score' && !READ[kind]) throw new FileFault(ELSEWHERE)
    if (kind === 'cem' && sender && sender !== given.sender) throw new FileFault('B09')
    if (['cem', 'score'].includes(kind) && !isSensible(raw, given.rules.recognise.longest_line)) throw new FileFault('B02')
    if (kind === 'score') return { kind, records: parse(given.rules, decode(raw)), outside: 0 }
    const tally = { outside: 0 }, records = await READ[kind](raw, { ...given, kind, tally })
    if (!records.length) throw new FileFault('B16')
    return { kind, records, outside: tally.outside }
  } catch (error) {
    throw error instanceof FileFault ? Object.assign(error, { kind }) : error
  }
}
