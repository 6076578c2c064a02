// A message held against the structure of the standard while it passes, as connectors/formats/ijw/xml_stream.py does it.
// The structure itself is in rules.json; nothing is kept of a message that is not asked for.
import { Malformed, XmlStream } from './ijw_xml.js'
import { dayNumber, whole } from './numbers.js'
import { FileFault, reader } from './text.js'

const BOM = '\ufeff', DOCTYPE = '<!DOCTYPE'
const HALF = 'B03', ENCODING = 'B04', RELEASE = 'B22', MALFORMED = 'B25', STRUCTURE = 'XSD', NO_DAY = 'TR134'
const ASCII_BLANK = /^[ \t\r\n]+|[ \t\r\n]+$/g
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/
const PAIRS = /[\ud800-\udfff]/
/** So much of a document is read at once to see whether it ends within a character. */
const PIECE = 262_144

/** A leaf or a branch is wrong: its code and the name of the element. */
export class XmlFault extends Error {
  constructor(code, veld = '') {
    super(code)
    Object.assign(this, { code, veld })
  }
}

const local = (tag) => [...tag.slice(tag.lastIndexOf('}') + 1)].slice(0, 40).filter((one) => /\p{L}/u.test(one)).join('')
const refuse = (code = STRUCTURE) => { throw new XmlFault(code) }

/** What reads a leaf: by name, made with its bounds. Each throws ``XmlFault`` without a name. */
const READERS = {
  pattern: (_, pattern) => {
    const wanted = whole(pattern)
    return (text) => (wanted.test(text) ? text : refuse())
  },
  text: ({ strip }, longest) => (text) =>
    strip(text) && (text.length <= longest || [...text].length <= longest) ? text : refuse(),
  integer: (_, highest) => (text) => {
    const digits = text.replace(ASCII_BLANK, '')
    return /^[0-9]{1,20}$/.test(digits) && Number(digits) <= highest ? Number(digits) : refuse()
  },
  one_of: (_, known) => (text) => (known.includes(text) ? text : refuse()),
  day: (_, first = -Infinity, last = Infinity) => (text) => {
    const found = DATE.exec(text.replace(ASCII_BLANK, ''))
    if (!found) refuse()
    const day = dayNumber(Number(found[1]), Number(found[2]), Number(found[3]))
    return day === null || day < first || day > last ? refuse(NO_DAY) : day
  },
}

/** An element of rules.json, ready to be held against a document. */
function element(told, tools) {
  const { name, tag, read, children = [], least = 1, most = 1, event = false, keep = true } = told
  return {
    name, tag, least, most: most ?? Infinity, event, keep, children: children.map((child) => element(child, tools)),
    read: read ? READERS[read[0]](tools, ...read.slice(1)) : null,
  }
}

const frame = (one) => ({ element: one, place: 0, count: 0, values: {} })
const top = (root) => frame({ name: '', read: null, children: [root] })

function nextChild(parent, tag) {
  const { children } = parent.element
  while (parent.place < children.length) {
    const child = children[parent.place]
    if (child.tag === tag && parent.count < child.most) {
      parent.count += 1
      return child
    }
    if (parent.count < child.least) throw new XmlFault(STRUCTURE, child.name)
    parent.place += 1
    parent.count = 0
  }
  throw new XmlFault(STRUCTURE, local(tag))
}

function complete(parent) {
  const { children } = parent.element
  for (let place = parent.place; place < children.length; place += 1) {
    if ((place === parent.place ? parent.count : 0) < children[place].least) throw new XmlFault(STRUCTURE, children[place].name)
  }
}

/** Receives what the parser reads and holds it against the structure. */
class Target {
  #text = []
  #length = 0
  #names = new Set()
  #open = {}

  constructor(rules, root, handlers) {
    const { bounds, release, root_attributes: allowed } = rules.ijw
    Object.assign(this, { bounds, allowed, handlers, root, release: new RegExp(release, 'u'), stack: [top(root)] })
  }

  /** Whether the first element has not come yet: then that is what is wrong. */
  get isEmpty() {
    const [{ element: one, count }] = this.stack
    return one.children.length > 0 && count === 0
  }

  #remember(name) {
    this.#names.add(name)
    if (this.#names.size > this.bounds.names) throw new XmlFault(STRUCTURE)
  }

  startNs(prefix, uri) {
    this.#remember(`${prefix} ${uri}`)
  }

  pi(name) {
    this.#remember(name)
  }

  start(tag, attributes) {
    const inside = this.stack.length > 1
    const areAllowed = !inside && attributes.every(([name]) => this.allowed.includes(name))
    if (attributes.length && !areAllowed) throw new XmlFault(STRUCTURE, local(tag))
    if (!inside && tag !== this.root.tag) this.#sameRelease(tag)
    const made = frame(nextChild(this.stack.at(-1), tag))
    this.stack.push(made)
    if (made.element.children.length) this.#open[made.element.name] = made.values
  }

  /** A message that is known under another release. */
  #sameRelease(tag) {
    const found = this.release.exec(tag)
    if (!found || this.root.tag.replace(this.release, found[0]) !== tag) return
    this.stack[0] = frame({ name: '', read: null, children: [] })
    throw new XmlFault(RELEASE, `iJw ${found[1].replace('_', '.')}`)
  }

  data(text) {
    const one = this.stack.at(-1).element
    if (!one.read) {
      if (this.strip(text)) throw new XmlFault(STRUCTURE, one.name)
      return
    }
    this.#length += PAIRS.test(text) ? [...text].length : text.length
    if (this.#length > this.bounds.text) throw new XmlFault(STRUCTURE, one.name)
    this.#text.push(text)
  }

  end() {
    const done = this.stack.pop(), one = done.element
    let value = done.values
    if (one.read) {
      value = this.#value(one)
      if (one.event) done.values[one.name] = value
    } else {
      complete(done)
    }
    if (one.event) this.handlers[one.name](done.values, this.#open)
    else if (one.keep) this.stack.at(-1).values[one.name] = value
  }

  #value(one) {
    const text = this.#text.length === 1 ? this.#text[0] : this.#text.join('')
    this.#text = []
    this.#length = 0
    try {
      return one.read(text)
    } catch (fault) {
      if (fault instanceof XmlFault) fault.veld = one.name
      throw fault
    }
  }
}

/** @throws {FileFault} B03 where a document in UTF-8 ends within a character: before anything else is looked at */
function requireWhole(raw) {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let ends = 0
  try {
    for (let place = 0; place < raw.length; place += PIECE) {
      const piece = raw.subarray(place, place + PIECE), text = decoder.decode(piece, { stream: true })
      ends += (text.match(/\n/g) ?? text.match(/\r/g) ?? []).length
    }
  } catch {
    return // no UTF-8: the place where it is told counts
  }
  try {
    decoder.decode()
  } catch {
    throw new FileFault(HALF, ends + 1)
  }
}

/** The pieces of a document as text, each looked at before the parser sees it. @throws {XmlFault} */
export function* pieces(raw, { chunk: size, piece: longest }) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let tail = '', open = 0
  for (let place = 0; place < raw.length; place += size) {
    const piece = raw.subarray(place, place + size)
    if (piece.includes(0)) throw new XmlFault(ENCODING)
    let text
    try {
      text = decoder.decode(piece, { stream: true })
    } catch {
      throw new XmlFault(ENCODING)
    }
    if (!place && text.startsWith(BOM)) text = text.slice(1)
    if ((tail + text).includes(DOCTYPE)) throw new XmlFault(STRUCTURE, 'DOCTYPE')
    tail = text.slice(-DOCTYPE.length)
    const begin = piece.indexOf(0x3c)
    if (open + (begin < 0 ? piece.length : begin) > longest) throw new XmlFault(STRUCTURE)
    open = begin < 0 ? open + piece.length : piece.length - piece.lastIndexOf(0x3c)
    yield text
  }
}

/** Whether an ``&`` stands for itself, and not because the rest of the document is cut off. */
function isBare(fault, raw, { text: length }) {
  const last = raw.subarray(-length), place = last.lastIndexOf(0x26)
  return fault instanceof Malformed && fault.bare && !(place >= 0 && !last.subarray(place).includes(0x3c))
}

const isOurs = (fault) => fault instanceof Malformed || fault instanceof XmlFault
const malformed = ({ line, column }) => new FileFault(MALFORMED, line, `kolom ${column}`)

/**
 * Read a message of one shape. What its handlers throw ends it; ``place`` tells which element was the last.
 * @param {Uint8Array} raw @param {import('./checks.js').Rules} rules @param {string} kind
 * @param {Object<string, (values: object, open: object) => void>} handlers @param {() => number} place
 * @throws {FileFault} with the code, place and element that the connector gives
 */
export function readMessage(raw, rules, kind, handlers, place) {
  requireWhole(raw)
  const tools = reader(rules), { bounds, shapes } = rules.ijw
  const target = new Target(rules, element(shapes[kind], tools), handlers)
  target.strip = tools.strip
  const stream = new XmlStream(target)
  const told = (fault) => {
    if (!isOurs(fault)) return fault
    return fault instanceof Malformed ? malformed(fault) : new FileFault(fault.code, place(), fault.veld)
  }
  for (const piece of guarded(pieces(raw, bounds), told)) {
    try {
      stream.feed(piece)
    } catch (fault) {
      if (target.isEmpty && isOurs(fault)) throw new FileFault(STRUCTURE, place(), target.root.name)
      throw told(fault)
    }
  }
  try {
    stream.close()
  } catch (fault) {
    if (isBare(fault, raw, bounds)) throw malformed(fault)
    if (!isOurs(fault)) throw fault
    throw new FileFault(HALF, place())
  }
}

function* guarded(given, told) {
  try {
    yield* given
  } catch (fault) {
    throw told(fault)
  }
}
