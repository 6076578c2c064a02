// From bytes or pasted cells to rows of cells, as connectors/formats/csv_lines.py reads them.
//
// ``rules`` is rules.json: white space, unseen characters, separators and spellings come from the connector itself.

/** A file is refused as a whole: code of the messages, number of the line, field; ``found``: all findings of a message. */
export class FileFault extends Error {
  /** @param {string} code @param {number} row @param {string} veld @param {{code: string, row: number, veld: string}[]} found */
  constructor(code, row = 0, veld = '', found = []) {
    super(code)
    Object.assign(this, { code, row, veld, found: found.length ? found : [{ code, row, veld }] })
  }
}

const ASCII = /^[\0-\x7f]*$/
const escaped = (characters) => [...characters].map((one) => `\\u{${one.codePointAt(0).toString(16)}}`).join('')

/** What reads text by the rules of the connector. @param {import('./checks.js').Rules} rules */
export function reader(rules) {
  const { separators, spelling, hint, unseen, white, blank, cell_characters: most } = rules.csv
  const ends = new RegExp(`^[${escaped(white)}]+|[${escaped(white)}]+$`, 'gu')
  const nothing = new RegExp(`^[${escaped(blank)}]*$`, 'u')
  const hidden = new RegExp(`[${escaped(Object.keys(unseen).join(''))}]`, 'gu')

  const strip = (text) => text.replace(ends, '')
  const seen = (text) => (ASCII.test(text) ? text : text.replace(hidden, (one) => unseen[one]))
  const isHint = (line) => line.replace(/^[" ]+/, '').toLowerCase().startsWith(hint)

  /** The cells of a line; null when its quotes do not pair up. */
  const split = (line, separator) => {
    if (!line.includes('"')) return line.split(separator)
    const cells = quoted(line, separator)
    return cells?.every((cell) => cell.length <= most || [...cell].length <= most) ? cells : null
  }

  const columnNames = (line, separator) =>
    (split(line, separator) ?? []).map((cell) => {
      const name = strip(strip(cell).replace(/^"+|"+$/g, '')).toLowerCase()
      return Object.hasOwn(spelling, name) ? spelling[name] : name
    })

  const header = (line, separator, known) => {
    const names = columnNames(line, separator)
    while (names.length && !names.at(-1)) names.pop()
    const once = known.filter((name) => names.filter((one) => one === name).length === 1)
    return { separator, places: Object.fromEntries(once.map((name) => [name, names.indexOf(name)])), width: names.length }
  }

  /** The header under the separator that shows most of the known columns. */
  const bestHeader = (line, known) => {
    const found = separators.map((separator) => header(line, separator, known))
    const count = (one) => Object.keys(one.places).length
    return found.reduce((best, one) => (count(one) > count(best) ? one : best))
  }

  /** Lines as Python's universal newlines make them: text, and whether an end closes it. */
  const lines = (text) => {
    const parts = text.split(/\r\n|\n|\r/)
    const last = parts.pop()
    const whole = parts.map((line) => ({ line, closed: true }))
    return last ? [...whole, { line: last, closed: false }] : whole
  }

  const seenLines = (text) => lines(text).map(({ line, closed }) => ({ line: seen(line), closed }))

  /** First the header, then every row of data. @throws {FileFault} B01 without data, B06 without a usable header */
  function* rows(text, known, needed, plain = null) {
    let top = null, number = 0, many = 0
    for (const { line, closed } of seenLines(text)) {
      number += 1
      if (nothing.test(line) || (!top && isHint(line))) continue
      if (!top) {
        top = bestHeader(line, known)
        const isHeader = !plain || Object.keys(top.places).length
        if (isHeader) requireUsable(top, needed, number)
        else top = plain(line)
        yield top
        if (isHeader) continue
      }
      many += 1
      const cells = split(line, top.separator)
      if (cells && cells.length > top.width && !cells.slice(top.width).some(Boolean)) cells.length = top.width
      yield { number, cells, closed, line }
    }
    if (!many) throw new FileFault('B01')
  }

  return { strip, seen, isHint, split, bestHeader, rows, isBlank: (line) => nothing.test(line), lines: seenLines }
}

function requireUsable(header, needed, number) {
  for (const [field, columns] of Object.entries(needed)) {
    if (!columns.some((name) => Object.hasOwn(header.places, name))) throw new FileFault('B06', number, field)
  }
}

/** A text as it is compared, whatever its capitals: as Python folds the letters that occur in our tables. */
export const fold = (text) => [...text].map((one) => (one === '\u0131' ? one : one.toUpperCase().toLowerCase())).join('')

/** Python's csv reader with strict=True over one line: its states, in its order. */
function quoted(line, separator) {
  const cells = []
  let cell = '', state = 'start'
  for (const one of line) {
    if (state === 'quoted') {
      if (one === '"') state = 'quote'
      else cell += one
    } else if (one === separator) {
      cells.push(cell)
      cell = ''
      state = 'start'
    } else if (state === 'quote') {
      if (one !== '"') return null
      cell += one
      state = 'quoted'
    } else if (state === 'start' && one === '"') {
      state = 'quoted'
    } else {
      cell += one
      state = 'plain'
    }
  }
  if (state === 'quoted') return null
  return [...cells, cell]
}

const decoded = (encoding, raw) => new TextDecoder(encoding, { fatal: true }).decode(raw)
/** Bytes that stand for nothing in Windows-1252; browsers make control characters of them. */
const NO_WINDOWS = [0x81, 0x8d, 0x8f, 0x90, 0x9d]
const begins = (raw, ...bytes) => bytes.every((byte, place) => raw[place] === byte)

/**
 * The text of a CSV file: UTF-8 with or without mark, else UTF-16 with its mark, else Windows-1252.
 * @param {Uint8Array} raw
 * @throws {FileFault} B03 ends within a character, B04 unreadable, B14 or B23 of Office, B26 packed, B27 XML or a page
 */
export function decode(raw) {
  if (begins(raw, 0x50, 0x4b, 3, 4)) throw new FileFault('B14')
  if (begins(raw, 0xd0, 0xcf, 0x11, 0xe0)) throw new FileFault('B23')
  if (begins(raw, 0xff, 0xfe)) return ofUtf16('utf-16le', raw)
  if (begins(raw, 0xfe, 0xff)) return ofUtf16('utf-16be', raw)
  if (raw.includes(0)) throw new FileFault('B04')
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const text = decoder.decode(raw, { stream: true })
    return text + endOf(decoder, text)
  } catch (error) {
    if (error instanceof FileFault) throw error
  }
  if (raw.some((byte) => NO_WINDOWS.includes(byte))) throw new FileFault('B04')
  return decoded('windows-1252', raw)
}

function endOf(decoder, text) {
  try {
    return decoder.decode()
  } catch {
    const ends = text.match(/\n/g) ?? text.match(/\r/g) ?? []
    throw new FileFault('B03', ends.length + 1)
  }
}

function ofUtf16(encoding, raw) {
  try {
    return decoded(encoding, raw)
  } catch {
    throw new FileFault('B04')
  }
}
