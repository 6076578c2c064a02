// What was deflated (RFC 1951), step by step: for a part of a workbook whose directory says something else of its size than
// its bytes do. A browser unpacks such a part not at all; the connector reads it as far as it goes.

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
const DISTANCES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289,
  16385, 24577,
]
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const extraOfLength = (code) => (code < 8 || code === 28 ? 0 : (code >> 2) - 1)
const extraOfDistance = (code) => (code < 4 ? 0 : (code >> 1) - 1)

/** The input ends, or is none. */
class Ended extends Error {}

/** Symbols by the lengths of their codes: how many have each length, and the symbols in order. */
function table(lengths) {
  const counts = new Uint16Array(16), places = new Uint16Array(16), symbols = new Uint16Array(lengths.length)
  for (const length of lengths) counts[length] += 1
  counts[0] = 0
  for (let length = 1; length < 16; length += 1) places[length] = places[length - 1] + counts[length - 1]
  lengths.forEach((length, symbol) => {
    if (length) symbols[places[length]++] = symbol
  })
  return { counts, symbols }
}

const FIXED = [
  table(Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8))),
  table(new Array(30).fill(5)),
]

class Inflating {
  #at = 0
  #bit = 0
  #made = 0

  constructor(raw, most) {
    Object.assign(this, { raw, out: new Uint8Array(most) })
  }

  get whole() {
    return this.out.subarray(0, this.#made)
  }

  #bits(many) {
    let found = 0
    for (let place = 0; place < many; place += 1) {
      if (this.#at >= this.raw.length) throw new Ended()
      found |= ((this.raw[this.#at] >> this.#bit) & 1) << place
      this.#bit = (this.#bit + 1) & 7
      if (!this.#bit) this.#at += 1
    }
    return found
  }

  #symbol({ counts, symbols }) {
    let code = 0, first = 0, index = 0
    for (let length = 1; length < 16; length += 1) {
      code |= this.#bits(1)
      if (code - counts[length] < first) return symbols[index + code - first]
      index += counts[length]
      first = (first + counts[length]) << 1
      code <<= 1
    }
    throw new Ended()
  }

  #put(byte) {
    if (this.#made >= this.out.length) throw new Ended()
    this.out[this.#made++] = byte
  }

  #stored() {
    if (this.#bit) this.#at += 1
    this.#bit = 0
    const long = this.#bits(16)
    if ((this.#bits(16) ^ 0xffff) !== long) throw new Ended()
    for (let place = 0; place < long; place += 1) this.#put(this.#bits(8))
  }

  #tables() {
    const many = this.#bits(5) + 257, distances = this.#bits(5) + 1, codes = this.#bits(4) + 4, lengths = new Array(19).fill(0)
    for (let place = 0; place < codes; place += 1) lengths[ORDER[place]] = this.#bits(3)
    const known = table(lengths), told = []
    while (told.length < many + distances) {
      const symbol = this.#symbol(known)
      if (symbol < 16) told.push(symbol)
      else if (symbol === 16) told.push(...new Array(3 + this.#bits(2)).fill(told.at(-1) ?? 0))
      else told.push(...new Array(symbol === 17 ? 3 + this.#bits(3) : 11 + this.#bits(7)).fill(0))
    }
    return [table(told.slice(0, many)), table(told.slice(many, many + distances))]
  }

  #block([literals, distances]) {
    for (;;) {
      const symbol = this.#symbol(literals)
      if (symbol === 256) return
      if (symbol < 256) {
        this.#put(symbol)
        continue
      }
      const length = LENGTHS[symbol - 257] + this.#bits(extraOfLength(symbol - 257)), code = this.#symbol(distances)
      const back = DISTANCES[code] + this.#bits(extraOfDistance(code))
      if (!(back <= this.#made)) throw new Ended()
      for (let place = 0; place < length; place += 1) this.#put(this.out[this.#made - back])
    }
  }

  run() {
    for (let last = 0; !last;) {
      last = this.#bits(1)
      const kind = this.#bits(2)
      if (kind === 3) throw new Ended()
      if (kind === 0) this.#stored()
      else this.#block(kind === 1 ? FIXED : this.#tables())
    }
  }
}

/** What comes out, as far as it goes, and no more than so many bytes. @param {Uint8Array} raw @param {number} most */
export function inflate(raw, most) {
  const work = new Inflating(raw, most)
  try {
    work.run()
  } catch (end) {
    if (!(end instanceof Ended)) throw end
  }
  return work.whole
}
