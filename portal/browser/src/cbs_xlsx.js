// An Excel sheet, row by row, as connectors/formats/cbs/xlsx.py reads one: every part passes as a stream, only the texts
// that cells point at and the styles that are days are kept, and of a formula the value it last had counts.
import { Archive, Damaged } from './cbs_zip.js'
import { pieces, XmlFault } from './ijw_structure.js'
import { Malformed, XmlStream } from './ijw_xml.js'
import { whole } from './numbers.js'
import { FileFault } from './text.js'

const WORKBOOK = 'xl/workbook.xml', RELATIONS = 'xl/_rels/workbook.xml.rels', STYLES = 'xl/styles.xml'
const DAY_MS = 86_400_000, EPOCH = Date.UTC(1899, 11, 30), EPOCH_1904 = Date.UTC(1904, 0, 1), LAST = Date.UTC(9999, 11, 31) + DAY_MS
const DIGITS = '[0-9]+(?:_[0-9]+)*'
const INTEGER = new RegExp(`^[+-]?${DIGITS}$`)
const NUMBER = new RegExp(`^[+-]?(?:${DIGITS}\\.?|(?:${DIGITS})?\\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`)
const MOMENT = /^([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ].*)?$/

/** What is thrown where a workbook is damaged. */
const DAMAGES = [Damaged, Malformed, XmlFault, RangeError]

const damaged = () => { throw new Damaged() }
const local = (tag) => tag.slice(tag.lastIndexOf('}') + 1)
const plain = (text) => text.trim().replaceAll('_', '')

/** A whole number as a program writes it; beyond what can be reckoned with it stays large. */
const integer = (text) => (INTEGER.test(text.trim()) ? Number(plain(text)) : damaged())
const number = (text) => (NUMBER.test(text.trim()) ? Number(plain(text)) : damaged())

/** A day of the calendar in a cell. */
export class Day {
  constructor(ms) {
    this.text = new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')
  }
}

/** One part as it passes. */
class Part {
  inside = []
  #names = new Set()

  constructor(bounds) {
    this.bounds = bounds
  }

  #remember(name) {
    this.#names.add(name)
    if (this.#names.size > this.bounds.names) throw new Damaged()
  }

  startNs(prefix, uri) {
    this.#remember(`${prefix} ${uri}`)
  }

  pi(name) {
    this.#remember(name)
  }

  start(tag, attributes) {
    this.#remember(tag)
    for (const [key] of attributes) this.#remember(key)
    const name = local(tag)
    this.inside.push(name)
    this.begin(name, new Map(attributes))
  }

  end() {
    this.finish(this.inside.at(-1))
    this.inside.pop()
  }

  data() {}

  begin() {}

  finish() {}
}

class Workbook extends Part {
  sheets = []
  from1904 = false

  begin(name, attributes) {
    if (name === 'workbookPr') this.from1904 = ['1', 'true'].includes(attributes.get('date1904'))
    if (name !== 'sheet') return
    const key = [...attributes].find(([one]) => local(one) === 'id')?.[1] ?? ''
    this.sheets.push([attributes.get('name') ?? damaged(), key])
    if (this.sheets.length > this.bounds.named) damaged()
  }
}

class Relations extends Part {
  sheets = new Map()
  texts = ''

  begin(name, attributes) {
    if (name !== 'Relationship' || attributes.get('TargetMode') === 'External') return
    const type = attributes.get('Type') ?? damaged(), target = attributes.get('Target') ?? damaged()
    const kind = type.slice(type.lastIndexOf('/') + 1), place = target.startsWith('/') ? target.slice(1) : `xl/${target}`
    if (kind === 'worksheet') this.sheets.set(attributes.get('Id') ?? damaged(), place)
    else if (kind === 'sharedStrings') this.texts = place
    if (this.sheets.size > this.bounds.named) damaged()
  }
}

class Styles extends Part {
  days = new Set()
  #place = 0

  constructor(bounds) {
    super(bounds)
    Object.assign(this, { formats: new Set(bounds.days), literal: new RegExp(bounds.literal, 'gu') })
  }

  #isDay(format) {
    return /[dy]/i.test(format.split(';')[0].replace(this.literal, ''))
  }

  begin(name, attributes) {
    if (name === 'numFmt') {
      const key = integer(attributes.get('numFmtId') ?? '')
      if (this.#isDay(attributes.get('formatCode') ?? damaged())) this.formats.add(key)
      else this.formats.delete(key)
    } else if (name === 'xf' && this.inside.includes('cellXfs')) {
      if (this.formats.has(integer(attributes.get('numFmtId') ?? '0'))) this.days.add(this.#place)
      this.#place += 1
    }
    if (this.#place > this.bounds.styles || this.formats.size > this.bounds.styles) damaged()
  }
}

class Text extends Part {
  #text = ''

  take(text) {
    this.#text += text
    if (this.#text.length > this.bounds.text && [...this.#text].length > this.bounds.text) damaged()
  }

  taken() {
    const told = this.#text
    this.#text = ''
    return told
  }
}

/** Bytes that the connector reckons for a text. */
const sizeOf = (text) => {
  if (/^[\0-\x7f]*$/.test(text)) return 49 + text.length
  if (/^[\0-\xff]*$/.test(text)) return 73 + text.length
  return /[\ud800-\udfff]/.test(text) ? 76 + 4 * [...text].length : 74 + 2 * text.length
}

class Texts extends Text {
  all = []
  #size = 0

  data(text) {
    if (this.inside.at(-1) === 't' && !this.inside.includes('rPh')) this.take(text)
  }

  finish(name) {
    if (name !== 'si') return
    this.all.push(this.taken())
    this.#size += sizeOf(this.all.at(-1))
    if (this.#size > this.bounds.texts) throw new FileFault('B11')
  }
}

class Sheet extends Text {
  ready = []
  #row = 0
  #column = 0
  #values = []
  #kind = 'n'
  #style = 0

  constructor(bounds, texts, days, epoch) {
    super(bounds)
    Object.assign(this, { texts, days, epoch, columns: whole(bounds.column) })
  }

  begin(name, attributes) {
    if (name === 'row') {
      const row = attributes.has('r') ? integer(attributes.get('r')) : this.#row + 1
      if (row <= this.#row) damaged()
      if (row > this.bounds.rows) throw new FileFault('B11')
      this.#row = row
      this.#column = 0
      this.#values = new Array(this.bounds.columns).fill(null)
    } else if (name === 'c') {
      this.#column = attributes.has('r') ? this.#columnOf(attributes.get('r')) : this.#column + 1
      this.#kind = attributes.get('t') ?? 'n'
      this.#style = integer(attributes.get('s') ?? '0')
    }
  }

  #columnOf(reference) {
    const [, letters] = this.columns.exec(reference) ?? damaged()
    return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0)
  }

  data(text) {
    const { inside } = this, wanted = this.#kind === 'inlineStr' ? inside.includes('is') : true
    if (['v', 't'].includes(inside.at(-1)) && inside.includes('c') && wanted && !inside.includes('rPh')) this.take(text)
  }

  finish(name) {
    if (name === 'c') {
      const text = this.taken()
      if (text && this.#column <= this.bounds.columns) this.#values[this.#column - 1] = this.#value(text)
    } else if (name === 'row' && this.#values.some((value) => value !== null)) {
      this.ready.push([this.#row, this.#values])
    }
  }

  #value(text) {
    switch (this.#kind) {
      case 'n': return this.#number(text)
      case 's': return this.texts.at(integer(text)) ?? damaged()
      case 'b': return integer(text) !== 0
      case 'd': return momentOf(text)
      default: return text
    }
  }

  #number(text) {
    const found = /[.eE]/.test(text) ? number(text) : integer(text)
    if (!this.days.has(this.#style) || !(found >= 1)) return found
    const counted = this.epoch === EPOCH && found < 60 ? found + 1 : found, ms = this.epoch + Math.round(counted * DAY_MS)
    return ms < LAST ? new Day(ms) : '#VALUE!'
  }
}

function momentOf(text) {
  const [, year, month, day] = MOMENT.exec(text) ?? damaged(), ms = Date.UTC(Number(year), Number(month) - 1, Number(day))
  const found = new Day(ms)
  return found.text === `${year}${month}${day}` ? found : damaged()
}

/** Read a part as it passes; ``target`` hears of it. Stops after each piece. */
function* parts(raw, target, bounds) {
  const stream = new XmlStream(target)
  for (const piece of pieces(raw, bounds)) {
    stream.feed(piece)
    yield
  }
  stream.close()
  yield
}

const readAll = (raw, target, bounds) => {
  for (const _ of parts(raw, target, bounds));
  return target
}

function* page(raw, sheet, bounds) {
  for (const _ of parts(raw, sheet, bounds)) {
    yield* sheet.ready
    sheet.ready = []
  }
}

/** The rows from the heading on; where none is found, the first rows of the first sheet that has any. */
async function rowsOf(archive, name, isHeading, bounds) {
  await archive.lookThrough()
  const book = readAll(await archive.read(WORKBOOK), new Workbook(bounds), bounds)
  const relations = readAll(await archive.read(RELATIONS), new Relations(bounds), bounds)
  const styles = new Styles(bounds), texts = new Texts(bounds)
  if (archive.has(STYLES)) readAll(await archive.read(STYLES), styles, bounds)
  if (relations.texts) readAll(await archive.read(relations.texts), texts, bounds)
  const there = book.sheets.filter(([, key]) => relations.sheets.has(key))
  const places = new Map(there.map(([title, key]) => [title, relations.sheets.get(key)]))
  if (!places.size || (name && !places.has(name))) throw new Damaged()
  let first = []
  for (const place of name ? [places.get(name)] : [...places.values()].slice(0, bounds.sheets)) {
    const sheet = new Sheet(bounds, texts.all, styles.days, book.from1904 ? EPOCH_1904 : EPOCH), head = []
    let found = null
    for (const row of page(await archive.read(place), sheet, bounds)) {
      if (found) found.push(row)
      else if (isHeading(row[1])) found = [row]
      else head.push(row)
      if (!found && head.length === bounds.heading_within) break
    }
    if (found) return found
    if (!first.length) first = head
  }
  return first
}

/**
 * Row number and values of every row that holds anything: texts, numbers, ``Day``, booleans and null.
 * @param {Uint8Array} raw @param {object} bounds ``rules.cbs.sheet`` @param {string} name '' for the first that fits
 * @param {(values: unknown[]) => boolean} isHeading
 * @returns {Promise<[number, unknown[]][]>} @throws {FileFault} B11 too large when unpacked, B20 damaged or encrypted
 */
export async function cells(raw, bounds, name, isHeading) {
  try {
    return await rowsOf(new Archive(raw, bounds), name, isHeading, bounds)
  } catch (fault) {
    throw DAMAGES.some((kind) => fault instanceof kind) ? new FileFault('B20') : fault
  }
}
