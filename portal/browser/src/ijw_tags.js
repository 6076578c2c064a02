// The grammar of XML as far as messages need it: names, start tags, and the namespaces that are known at a place.

const START = 'A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f'
  + '\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}'
const NAME = `[${START}:][${START}:.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040-]*`
const NCNAME = new RegExp(`^[${START}]`, 'u')
const sticky = (pattern) => new RegExp(pattern, 'uy')
/** Patterns that are tried at a place. */
export const AT = {
  name: sticky(NAME),
  blank: sticky('[ \\t\\r\\n]*'),
  declaration: sticky(
    '<\\?xml[ \\t\\r\\n]+version[ \\t\\r\\n]*=[ \\t\\r\\n]*(["\'])1\\.[0-9]*\\1'
    + '(?:[ \\t\\r\\n]+encoding[ \\t\\r\\n]*=[ \\t\\r\\n]*(["\'])[A-Za-z][A-Za-z0-9._-]{0,49999}\\2)?'
    + '(?:[ \\t\\r\\n]+standalone[ \\t\\r\\n]*=[ \\t\\r\\n]*(["\'])(?:yes|no)\\3)?[ \\t\\r\\n]*\\?>',
  ),
  plain: sticky(`<(${NAME})[ \\t\\r\\n]*(/?)>`),
  end: sticky(`</(${NAME})[ \\t\\r\\n]*>`),
  reference: sticky(`&(?:#([0-9]+)|#x([0-9a-fA-F]+)|(${NAME}));`),
}
/** What no text has. */
export const WRONG = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
const NO_VALUE = /[^\t\n\r\u0020-;=-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
/** The five entities that XML itself has. */
export const KNOWN = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const XML = 'http://www.w3.org/XML/1998/namespace', XMLNS = 'http://www.w3.org/2000/xmlns/'
/** Characters of a name. */
export const LONGEST_NAME = 50_000

/** A pattern at a place of a text; what it found, or null. */
export function match(pattern, text, at) {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** Line ends as XML has them. */
export const lines = (text) => (text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text)

/** The namespaces of the elements that are open. */
export class Namespaces {
  #scopes = [new Map([['xml', XML]])]
  #tags = new Map()

  /** @param {() => void} note hears of a name without right form or namespace: no fault, but told before any other */
  constructor(note) {
    this.note = note
  }

  /** Namespaces of an element that begins. @param {[string, string][]} declared prefix and name */
  declare(declared) {
    const known = new Map(this.#scopes.at(-1))
    for (const [prefix, uri] of declared) known.set(prefix, uri)
    this.#scopes.push(known)
    this.#tags.clear()
  }

  /** That element ends. */
  forget() {
    this.#scopes.pop()
    this.#tags.clear()
  }

  /** Prefix and local name. What has no right form keeps its colons in its local name. */
  parts(name) {
    const colon = name.indexOf(':'), local = name.slice(colon + 1)
    if (colon < 0) return ['', name]
    if (colon > 0 && NCNAME.test(local) && !local.includes(':')) return [name.slice(0, colon), local]
    this.note()
    return ['', name]
  }

  /** The namespace of a prefix. Where there is none, that is told as the first thing wrong if anything else is. */
  #namespace(prefix) {
    const found = this.#scopes.at(-1).get(prefix)
    if (prefix && found === undefined) this.note()
    return found
  }

  /** ``{namespace}name`` of an element. */
  tag(name) {
    let tag = this.#tags.get(name)
    if (tag === undefined) {
      const [prefix, local] = this.parts(name)
      const uri = this.#namespace(prefix)
      tag = uri ? `{${uri}}${local}` : local
      this.#tags.set(name, tag)
    }
    return tag
  }

  /** The same of attributes, which have a namespace only by their prefix. */
  named(attributes) {
    return attributes.map(([name, value]) => {
      const [prefix, local] = this.parts(name)
      const uri = prefix && this.#namespace(prefix)
      return [uri ? `{${uri}}${local}` : local, value]
    })
  }
}

/**
 * A start tag that has attributes: its text, its name, ``/`` when it is empty; its attributes, and the namespaces that it
 * declares. ``told``: what names a fault at a place, what a reference means, and who looks at its name first.
 * @param {string} text @param {number} began
 * @param {{wrong: (at: number) => Error, meant: (found: string[], at: number) => string, named: (name: string) => void}} told
 */
export function startTag(text, began, told) {
  const name = match(AT.name, text, began + 1)?.[0]
  if (!name) throw told.wrong(began + 1)
  told.named(name)
  let place = began + 1 + name.length
  const seen = new Set(), attributes = [], declared = []
  for (;;) {
    const blank = match(AT.blank, text, place)[0].length
    const [end] = /^(?:\/?>)?/.exec(text.slice(place + blank, place + blank + 2))
    // A sign that no text has ends a tag too: the element is told, and then what is wrong with it.
    const broken = !end && !(text.charCodeAt(place + blank) >= 0x20)
    if (end || (broken && (blank || !seen.size))) {
      const found = [text.slice(began, place + blank + end.length), name, end === '/>' ? '/' : '']
      return Object.assign(found, { attributes, declared, broken })
    }
    if (!blank) throw told.wrong(place)
    const [attribute, value, after] = attributeOf(text, place + blank, told)
    if (seen.has(attribute)) throw told.wrong(after)
    seen.add(attribute)
    sort(attribute, value, attributes, declared)
    place = after
  }
}

/** Name, value and end of an attribute. */
function attributeOf(text, place, told) {
  const name = match(AT.name, text, place)?.[0]
  if (!name || name.length > LONGEST_NAME) throw told.wrong(place)
  let after = place + name.length
  after += match(AT.blank, text, after)[0].length
  if (text[after] !== '=') throw told.wrong(after)
  after += 1
  after += match(AT.blank, text, after)[0].length
  const quote = text[after]
  if (quote !== '"' && quote !== "'") throw told.wrong(after)
  const end = text.indexOf(quote, after + 1)
  const raw = text.slice(after + 1, end < 0 ? undefined : end)
  const wrong = NO_VALUE.exec(raw)
  if (wrong || end < 0) throw told.wrong(wrong ? after + 1 + wrong.index : text.length)
  return [name, valueOf(raw, after + 1, told), end + 1]
}

function valueOf(raw, at, told) {
  return lines(raw).replace(/[\t\n]/g, ' ').replace(/&[^&;]*;?/g, (reference) => {
    const found = /^&(?:#([0-9]+)|#x([0-9a-fA-F]+)|([^#;]+));$/.exec(reference)
    if (!found) throw told.wrong(at)
    return told.meant(found, at)
  })
}

/** A declaration of a namespace, or an attribute. A declaration that is not allowed counts as none. */
function sort(name, value, attributes, declared) {
  if (name !== 'xmlns' && !(name.startsWith('xmlns:') && name.length > 6)) {
    attributes.push([name, value])
    return
  }
  const prefix = name.slice(6)
  const forbidden = value === XML || value === XMLNS || prefix === 'xml' || prefix === 'xmlns' || (prefix && !value)
  if (!forbidden) declared.push([prefix, value])
}
