// Blinding a BSN: RFC 9497, ristretto255-SHA512, mode OPRF, in the WebAssembly of libsodium.
//
// The raw module without wrappers: fixed places in its memory, wiped after each client. What is a secret (the point, the
// scalar) leaves it only as the blinded element and the inverse scalar.
import load from 'libsodium-sumo'
import { join, utf8 } from './bytes.js'

const suffix = join(utf8('HashToGroup-OPRFV1-'), new Uint8Array(1), utf8('-ristretto255-SHA512'))
const DST = join(suffix, new Uint8Array([suffix.length]))
const BLOCK = new Uint8Array(128)
const SIZE_64 = new Uint8Array([0, 64, 0])
const FIRST = new Uint8Array([1])
const SIZES = { message: 512, hash: 64, uniform: 64, point: 32, scalar: 32, blinded: 32, inverse: 32 }

/** What stands for somebody: a BSN of the Netherlands, or the key of CBS of a child without one. */
export const ofBsn = (bsn) => `NL|BSN|${bsn}`
export const ofKey = (key) => `NL|CBS|${key}`

/** A started libsodium. @returns {Promise<{blind: (who: string, fixed?: Uint8Array) => [Uint8Array, Uint8Array]}>} */
export async function start() {
  const given = {}
  const loaded = await load(given)
  const sodium = loaded?._malloc ? loaded : given
  if (sodium._sodium_init() < 0) throw new Error('libsodium does not start')
  const at = Object.fromEntries(Object.entries(SIZES).map(([name, size]) => [name, sodium._malloc(size)]))

  const sha512 = (target, ...parts) => {
    let size = 0
    for (const part of parts) {
      sodium.HEAPU8.set(part, at.message + size)
      size += part.length
    }
    sodium._crypto_hash_sha512(target, at.message, size, 0)
  }
  const part = (name) => sodium.HEAPU8.slice(at[name], at[name] + SIZES[name])

  /** expand_message_xmd for 64 bytes is one block: H(H(Z | message | 64 | 0 | DST') | 1 | DST'). */
  const hashToGroup = (input) => {
    sha512(at.hash, BLOCK, input, SIZE_64, DST)
    sha512(at.uniform, part('hash'), FIRST, DST)
    sodium._crypto_core_ristretto255_from_hash(at.point, at.uniform)
  }
  const draw = () => {
    do {
      sodium.HEAPU8.set(crypto.getRandomValues(new Uint8Array(64)), at.hash)
      sodium._crypto_core_ristretto255_scalar_reduce(at.scalar, at.hash)
    } while (part('scalar').every((byte) => byte === 0))
  }

  /**
   * The blinded element and the inverse scalar, 32 bytes each. ``who``: ``ofBsn`` or ``ofKey``; ``fixed``: a scalar, for
   * tests against the vectors.
   */
  const blind = (who, fixed) => {
    hashToGroup(utf8(who))
    if (fixed) sodium.HEAPU8.set(fixed, at.scalar)
    else draw()
    if (sodium._crypto_scalarmult_ristretto255(at.blinded, at.scalar, at.point) !== 0) throw new Error('no valid point')
    sodium._crypto_core_ristretto255_scalar_invert(at.inverse, at.scalar)
    const pair = [part('blinded'), part('inverse')]
    for (const [name, size] of Object.entries(SIZES)) sodium.HEAPU8.fill(0, at[name], at[name] + size)
    return pair
  }
  return { blind }
}
