// Bytes, base64 and the Avro of the contracts. No dependency.

/** @param {string} text @returns {Uint8Array} */
export const utf8 = (text) => new TextEncoder().encode(text)

/** One array of all parts. @param {...Uint8Array} parts */
export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let place = 0
  for (const part of parts) {
    whole.set(part, place)
    place += part.length
  }
  return whole
}

/** Avro int or long. @param {number} value a safe integer */
export function long(value) {
  const out = []
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  out.push(rest)
  return new Uint8Array(out)
}

/** Avro bytes. @param {Uint8Array} value */
export const bytes = (value) => join(long(value.length), value)

/** Avro string. @param {string} text */
export const string = (text) => bytes(utf8(text))

/** Avro boolean. @param {boolean} value */
export const boolean = (value) => new Uint8Array([value ? 1 : 0])

/** Four bytes, the highest first. @param {number} value */
export function uint32(value) {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}

/** A record in wire format: a zero byte, the id of its schema, its Avro. @param {number} id @param {Uint8Array} record */
export const wire = (id, record) => join(new Uint8Array(1), uint32(id), record)

/** @param {string} text standard base64 */
export const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

/** @param {Uint8Array} raw */
export function toBase64(raw) {
  let text = ''
  for (const byte of raw) text += String.fromCharCode(byte)
  return btoa(text)
}

/** @param {Uint8Array} raw */
export const toHex = (raw) => [...raw].map((byte) => byte.toString(16).padStart(2, '0')).join('')
