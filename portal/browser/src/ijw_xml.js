// XML as a stream, in the order and with the limits of the parser that the connector uses: a document in pieces goes in,
// elements and texts come out. No tree, no entities but the five of XML itself, nothing fetched; a document type
// declaration never gets here (ijw_structure.js refuses it).
//
// It waits where that parser waits (for the end of a tag, or the ``;`` of a reference), because what is wrong first
// decides what a sender is told, and a document that ends while it waits is half a document.

import { AT, KNOWN, lines, LONGEST_NAME, match, Namespaces, startTag, WRONG } from './ijw_tags.js'

const MARKUP = /[<&]/g
/** Characters of a text below which it waits for its end. */
const BIG = 300
/** Bytes from which the parser tells the encoding: with no more than these it begins only at the end. */
const AHEAD = 4

/** Not well-formed. ``bare``: an ``&`` that stands for itself. */
export class Malformed extends Error {
  constructor(line, column, bare = false) {
    super('malformed')
    Object.assign(this, { line, column, bare })
  }
}

const isChar = (code) =>
  code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd)
  || (code >= 0x10000 && code <= 0x10ffff)

/**
 * Reads a document in pieces.
 *
 * ``target`` hears of ``start(tag, attributes)``, ``end()``, ``data(text)``, ``startNs(prefix, uri)`` and ``pi(name)``;
 * a tag is ``{namespace}name``, attributes are pairs of such a name and a value. What it throws ends the parse.
 */
export class XmlStream {
  #text = ''
  #at = 0
  #line = 1
  #held = ''
  #state = 'start'
  #open = []
  #names = new Namespaces(() => { this.#noted ??= this.#wrong() })
  #final = false
  #noted = null
  #began = false

  constructor(target) {
    this.target = target
  }

  /** @param {string} text @throws {Malformed} */
  feed(text) {
    let more = this.#held + text
    this.#held = more.endsWith('\r') ? '\r' : ''
    if (this.#held) more = more.slice(0, -1)
    const few = !this.#began && more.length <= AHEAD
    this.#began = true
    this.#take(more)
    if (!few) this.#run()
  }

  /** The end of the document. @throws {Malformed} also where it ends too early */
  close() {
    this.#take(this.#held)
    this.#final = true
    this.#run()
    if (this.#state !== 'epilog') throw this.#wrong(this.#text.length)
  }

  #take(more) {
    for (let place = this.#text.indexOf('\n'); place >= 0 && place < this.#at; place = this.#text.indexOf('\n', place + 1)) this.#line += 1
    this.#text = this.#text.slice(this.#at) + more
    this.#at = 0
  }

  #run() {
    while (this.#at < this.#text.length && this[`_${this.#state}`]());
  }

  #wrong(at = this.#at, bare = false) {
    if (this.#noted) return this.#noted
    const before = this.#text.slice(0, at), last = before.lastIndexOf('\n')
    return new Malformed(this.#line + before.split('\n').length - 1, at - last, bare)
  }

  /** A pattern at a place; what it found, or null. */
  #match(pattern, at = this.#at) {
    return match(pattern, this.#text, at)
  }

  /** Whether so many characters are there, or no more will come. */
  #has(count) {
    return this.#final || this.#text.length - this.#at >= count
  }

  /** Whether what ends a piece is there, or no more will come. */
  #ends(what, after) {
    return this.#final || this.#text.includes(what, this.#at + after)
  }

  #begins(what) {
    return this.#text.startsWith(what, this.#at)
  }

  _start() {
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1
    if (!this.#has(2)) return false
    if (this.#begins('<?')) {
      if (!this.#ends('?>', 2)) return false
      if (/[ \t\r\n]/.test(this.#text[this.#at + 5] ?? '') && this.#begins('<?xml')) {
        const found = this.#match(AT.declaration)
        if (!found) throw this.#wrong()
        this.#at += found[0].length
      }
    }
    this.#state = 'misc'
    return true
  }

  _misc() {
    this.#at += this.#match(AT.blank)[0].length
    if (this.#at >= this.#text.length) return false
    if (this.#begins('<')) {
      if (!this.#has(2)) return false
      if (this.#begins('<?')) return this.#instruction()
      if (this.#begins('<!')) {
        if (!this.#has(this.#begins('<!-') ? 4 : 3)) return false
        if (this.#begins('<!--')) return this.#comment()
        if (this.#state === 'misc' && !this.#has(9)) return false
      }
    }
    if (this.#state === 'epilog') throw this.#wrong()
    this.#state = 'tag'
    return true
  }

  _epilog() {
    return this._misc()
  }

  _content() {
    const one = this.#text[this.#at]
    if (one === '&') return this.#reference()
    if (one !== '<') return this.#characters()
    if (!this.#has(2)) return false
    const next = this.#text[this.#at + 1]
    if (next === '/') return this.#endTag()
    if (next === '?') return this.#instruction()
    if (next === '!') {
      if (!this.#has(3)) return false
      const third = this.#text[this.#at + 2]
      if (third === '-' && !this.#has(4)) return false
      if (this.#begins('<!--')) return this.#comment()
      if (third === '[' && !this.#has(9)) return false
      if (this.#begins('<![CDATA[')) {
        this.#at += 9
        this.#state = 'cdata'
        return true
      }
    }
    return this._tag()
  }

  _cdata() {
    const end = this.#text.indexOf(']]>', this.#at)
    if (end < 0 && !this.#final) return false
    const inside = this.#text.slice(this.#at, end < 0 ? undefined : end), wrong = WRONG.exec(inside)
    if (wrong || end < 0) throw this.#wrong(wrong ? this.#at + wrong.index : this.#text.length)
    if (inside) this.target.data(lines(inside))
    this.#at = end + 3
    this.#state = 'content'
    return true
  }

  #characters() {
    MARKUP.lastIndex = this.#at
    let end = MARKUP.exec(this.#text)?.index ?? -1
    if (end < 0 && !this.#final && this.#text.length - this.#at < BIG) return false
    if (end < 0) end = this.#text.length
    let piece = this.#text.slice(this.#at, end)
    const wrong = WRONG.exec(piece), closing = piece.indexOf(']]>')
    if (closing >= 0 && (!wrong || closing < wrong.index)) {
      // The parser holds a stretch back until it ends: a line end of two characters, or a sign beyond ASCII, ends one.
      const told = Math.max(piece.lastIndexOf('\r', closing), 0)
      if (told) this.target.data(lines(piece.slice(0, told)))
      throw this.#wrong(this.#at + closing)
    }
    if (wrong) {
      if (wrong.index) this.target.data(lines(piece.slice(0, wrong.index)))
      throw this.#wrong(this.#at + wrong.index)
    }
    if (end === this.#text.length && !this.#final) piece = piece.replace(/\]{1,2}$/, '')
    if (!piece) return false
    this.target.data(lines(piece))
    this.#at += piece.length
    return true
  }

  #reference() {
    if (!this.#ends(';', 1)) return false
    const found = this.#match(AT.reference)
    if (!found) {
      const bare = this.#text[this.#at + 1] !== '#'
      throw this.#wrong(this.#at, bare)
    }
    this.target.data(this.#meant(found, this.#at))
    this.#at += found[0].length
    return true
  }

  /** The character that a reference means. */
  #meant([, decimal, hexadecimal, name], at) {
    if (name !== undefined) {
      if (!Object.hasOwn(KNOWN, name)) throw this.#wrong(at)
      return KNOWN[name]
    }
    const code = decimal === undefined ? parseInt(hexadecimal, 16) : Number(decimal)
    if (!isChar(code)) throw this.#wrong(at)
    return String.fromCodePoint(code)
  }

  #instruction() {
    if (!this.#ends('?>', 2)) return false
    const end = this.#text.indexOf('?>', this.#at + 2)
    const name = this.#match(AT.name, this.#at + 2)?.[0]
    if (end < 0 || !name || /^xml$/i.test(name)) throw this.#wrong()
    const rest = this.#text.slice(this.#at + 2 + name.length, end)
    if ((rest && !/^[ \t\r\n]/.test(rest)) || WRONG.test(rest)) throw this.#wrong()
    this.target.pi(name)
    this.#at = end + 2
    return true
  }

  #comment() {
    if (!this.#ends('-->', 4)) return false
    const end = this.#text.indexOf('--', this.#at + 4)
    const wrong = WRONG.exec(this.#text.slice(this.#at + 4, end < 0 ? undefined : end))
    if (wrong) throw this.#wrong(this.#at + 4 + wrong.index)
    if (end < 0 || this.#text[end + 2] !== '>') throw this.#wrong(end < 0 ? this.#at : end)
    this.#at = end + 3
    return true
  }

  /** Place of the ``>`` that ends a tag, outside quotes; -1 when it is not there. */
  #tagEnd() {
    let quote = ''
    for (let place = this.#at + 1; place < this.#text.length; place += 1) {
      const one = this.#text[place]
      if (quote) {
        if (one === quote) quote = ''
      } else if (one === '"' || one === "'") {
        quote = one
      } else if (one === '>') {
        return place
      }
    }
    return -1
  }

  _tag() {
    if (!this.#has(2)) return false
    if (!this.#begins('<')) throw this.#wrong()
    let found = this.#match(AT.plain)
    if (!found && !this.#final && this.#tagEnd() < 0) return false
    let attributes = null, declared = []
    if (!found) {
      found = startTag(this.#text, this.#at, {
        wrong: (at) => this.#wrong(at), meant: (given, at) => this.#meant(given, at), named: (name) => this.#names.parts(name),
      });
      ({ attributes, declared } = found)
    }
    const [whole, name, empty] = found
    if (name.length > LONGEST_NAME) throw this.#wrong(this.#at + 1)
    if (declared.length) this.#names.declare(declared)
    const tag = this.#names.tag(name)
    for (const [prefix, uri] of declared) this.target.startNs(prefix, uri)
    this.#at += whole.length
    this.target.start(tag, attributes ? this.#names.named(attributes) : [])
    if (found.broken) throw this.#wrong()
    if (empty) {
      this.target.end()
      if (declared.length) this.#names.forget()
    } else {
      this.#open.push({ name, declared: declared.length > 0 })
    }
    this.#state = this.#open.length ? 'content' : 'epilog'
    return true
  }

  /** Where a name, white space behind it and a ``>`` end: what is wrong with a tag at its end is told there. */
  #afterName(place) {
    let after = place + (this.#match(AT.name, place)?.[0].length ?? 0)
    after += this.#match(AT.blank, after)[0].length
    return this.#text[after] === '>' ? after + 1 : after
  }

  #endTag() {
    if (!this.#ends('>', 2)) return false
    const { name, declared } = this.#open.at(-1)
    const found = this.#match(AT.end)
    if (found?.[1] !== name) {
      if (name.includes(':')) this.#names.parts(this.#match(AT.name, this.#at + 2)?.[0] ?? '')
      throw this.#wrong(this.#afterName(this.#at + 2))
    }
    this.#at += found[0].length
    this.#open.pop()
    this.target.end()
    if (declared) this.#names.forget()
    this.#state = this.#open.length ? 'content' : 'epilog'
    return true
  }
}
