// A zip file of somebody else, as connectors/formats/zips.py and the library below it read one: what it says of its own
// size is not believed. What is wrong with it is a ``Damaged``; what is too large a ``FileFault`` B11.
import { join } from './bytes.js'
import { inflate } from './cbs_inflate.js'
import { FileFault } from './text.js'

const END = 0x06054b50, ENTRY = 0x02014b50, LOCAL = 0x04034b50
const LENGTH = { end: 22, entry: 46, local: 30 }
const NEWEST = 63, STORED = 0, DEFLATED = 8
/** Flags of an entry: encrypted, patched, strongly encrypted. */
const NOT_READ = 0x1 | 0x20 | 0x40
const FORBIDDEN = ['<!DOCTYPE', '<!ENTITY']
const CHUNK = 262_144

/** It cannot be read. */
export class Damaged extends Error {}

const view = (raw) => new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
const latin = (raw) => {
  const parts = []
  for (let at = 0; at < raw.length; at += 8_192) parts.push(String.fromCharCode(...raw.subarray(at, at + 8_192)))
  return parts.join('')
}

const CRC = new Uint32Array(256).map((_, byte) => {
  for (let bit = 0; bit < 8; bit += 1) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1
  return byte
})
const crc32 = (pieces) => {
  let sum = -1
  for (const piece of pieces) for (const byte of piece) sum = CRC[(sum ^ byte) & 0xff] ^ (sum >>> 8)
  return (sum ^ -1) >>> 0
}

function endOf(raw, data) {
  const last = raw.length - LENGTH.end
  if (last < 0) throw new Damaged()
  if (data.getUint32(last, true) === END && data.getUint16(last + 20, true) === 0) return last
  const first = Math.max(last - 65_536, 0), place = latin(raw.subarray(first)).lastIndexOf('PK\x05\x06')
  if (place < 0 || first + place > last) throw new Damaged()
  return first + place
}

/** What programs add to an entry: pieces that each tell their length. */
function requireWhole(data, begin, stop) {
  for (let at = begin; stop - at >= 4;) {
    const long = data.getUint16(at + 2, true) + 4
    if (long > stop - at) throw new Damaged()
    at += long
  }
}

function entries(raw, most) {
  const data = view(raw), end = endOf(raw, data)
  const size = data.getUint32(end + 12, true), offset = data.getUint32(end + 16, true), ahead = end - size - offset
  if (offset + ahead < 0) throw new Damaged()
  if (size > most) throw new FileFault('B11')
  const found = new Map()
  let at = offset + ahead, many = 0
  for (const stop = at + size; at < stop;) {
    if (at + LENGTH.entry > stop || data.getUint32(at, true) !== ENTRY) throw new Damaged()
    const [nameLength, extra, comment] = [28, 30, 32].map((place) => data.getUint16(at + place, true))
    if ((data.getUint16(at + 6, true) & 0xff) > NEWEST) throw new Damaged()
    const begin = at + LENGTH.entry, after = Math.min(begin + nameLength, stop)
    const name = latin(raw.subarray(begin, after)), [known] = name.split('\0')
    requireWhole(data, after, Math.min(after + extra, stop))
    found.set(known, {
      name, flags: data.getUint16(at + 8, true), method: data.getUint16(at + 10, true), crc: data.getUint32(at + 16, true),
      packed: data.getUint32(at + 20, true), size: data.getUint32(at + 24, true), at: data.getUint32(at + 42, true) + ahead,
    })
    many += 1
    at += LENGTH.entry + nameLength + extra + comment
  }
  if (found.size < many) throw new Damaged() // two of one name: nobody can say which of them is read
  return found
}

/** The entries of a zip file that may be read. */
export class Archive {
  /** @param {Uint8Array} raw @param {object} bounds ``rules.cbs.sheet`` @throws {Damaged | FileFault} */
  constructor(raw, bounds) {
    Object.assign(this, { raw, bounds, entries: entries(raw, bounds.directory) })
    const all = [...this.entries.values()]
    if (all.length > bounds.parts || all.reduce((sum, { size }) => sum + size, 0) > bounds.unpacked) throw new FileFault('B11')
  }

  /** Look through every part, read or not, for a document type declaration. @throws {Damaged | FileFault} */
  async lookThrough() {
    const { ratio, ratio_from: from } = this.bounds
    for (const [name, { size, packed, flags, method }] of this.entries) {
      if (size > from && size > ratio * Math.max(1, packed)) throw new FileFault('B11')
      if (flags & 0x1 || ![STORED, DEFLATED].includes(method)) throw new Damaged()
      const content = await this.read(name)
      let tail = ''
      for (let at = 0; at < content.length; at += CHUNK) {
        const window = tail + latin(content.subarray(at, at + CHUNK)), narrow = window.replaceAll('\0', '')
        if (FORBIDDEN.some((word) => isIn(word, window, narrow))) throw new Damaged()
        tail = window.slice(-2 * FORBIDDEN[0].length)
      }
    }
  }

  has(name) {
    return this.entries.has(name)
  }

  /** A part, unpacked. @returns {Promise<Uint8Array>} @throws {Damaged} */
  async read(name) {
    const entry = this.entries.get(name)
    if (!entry) throw new Damaged()
    const { at, packed, size, flags, method, crc } = entry, data = view(this.raw)
    if (at < 0 || at + LENGTH.local > this.raw.length || data.getUint32(at, true) !== LOCAL || flags & NOT_READ) throw new Damaged()
    const nameLength = data.getUint16(at + 26, true), begin = at + LENGTH.local + nameLength + data.getUint16(at + 28, true)
    if (latin(this.raw.subarray(at + LENGTH.local, at + LENGTH.local + nameLength)) !== entry.name) throw new Damaged()
    const held = this.raw.subarray(begin, begin + packed)
    const pieces = method === STORED ? [held.subarray(0, size)] : await inflated(held, size)
    if (crc32(pieces) !== crc) throw new Damaged()
    return join(...pieces)
  }
}

const spread = (word) => [...word].join('\0')
/** In ASCII, or in UTF-16 of either order. */
const isIn = (word, window, narrow) =>
  window.includes(word)
  || (narrow.includes(word) && [`${spread(word)}\0`, `\0${spread(word)}`].some((one) => window.includes(one)))

/** What was deflated, up to so many bytes: no more is unpacked, whatever there is. */
async function inflated(held, size) {
  const reader = new Blob([held]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader()
  const pieces = []
  let left = size
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) break
      pieces.push(value.subarray(0, left))
      left -= value.length
      if (left < 0) break
    }
  } catch {
    return [inflate(held, size)]
  } finally {
    reader.cancel().catch(() => {})
  }
  return pieces
}
