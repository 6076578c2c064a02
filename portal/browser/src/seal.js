// Sealing the lines of one run of one delivery, and what its source signs. Format: docs/envelope.md, suite sor-2.
import { AEAD_AES_256_GCM, KDF_SHAKE256, KEM_MLKEM768_X25519 } from '@panva/hpke-noble'
import { CipherSuite } from 'hpke'
import { join, utf8 } from './bytes.js'

export const SUITE = 'sor-2'
const hpke = new CipherSuite(KEM_MLKEM768_X25519, KDF_SHAKE256, AEAD_AES_256_GCM)

/**
 * @typedef {{kind: string, delivery: string, lines: number, sender: string, test: boolean, epoch: number}} Context
 * What every line of a delivery is bound to.
 */

const field = (text) => {
  const raw = utf8(text)
  return join(new Uint8Array([raw.length >> 8, raw.length & 255]), raw)
}

/** Nine text fields, each behind its length. @param {string} purpose @param {string} receiver @param {Context} context */
export function bound(purpose, receiver, { kind, delivery, lines, sender, test, epoch }) {
  const told = [`sor.in.${kind}`, delivery, `${lines}`, sender, test ? '1' : '0', `${epoch}`]
  return join(...[purpose, SUITE, receiver, ...told].map(field))
}

const sha256 = async (raw) => new Uint8Array(await crypto.subtle.digest('SHA-256', raw))

/** Seals for one receiver under a fresh content key; a line number is sealed once. */
export class Sealer {
  /** @param {'evaluate' | 'entry'} receiver @param {Uint8Array} publicKey 1,216 bytes @param {Context} context */
  static async make(receiver, publicKey, context) {
    const contentKey = crypto.getRandomValues(new Uint8Array(32))
    const key = await hpke.DeserializePublicKey(publicKey)
    const { encapsulatedSecret, ciphertext } = await hpke.Seal(key, contentKey, { info: bound('key', receiver, context) })
    const sealer = new Sealer()
    sealer.aes = await crypto.subtle.importKey('raw', contentKey, 'AES-GCM', false, ['encrypt'])
    contentKey.fill(0)
    sealer.keyId = (await sha256(join(utf8('sor key id'), publicKey))).slice(0, 8)
    sealer.wrapped = join(encapsulatedSecret, ciphertext)
    sealer.bound = bound('line', receiver, context)
    return sealer
  }

  /** @param {number} line from 1 @param {number} publishedAt ms @param {Uint8Array} plain */
  async seal(line, publishedAt, plain) {
    const iv = new Uint8Array(12)
    new DataView(iv.buffer).setUint32(8, line)
    const additionalData = new Uint8Array(this.bound.length + 16)
    additionalData.set(this.bound)
    const place = new DataView(additionalData.buffer, this.bound.length)
    place.setUint32(4, line)
    place.setBigUint64(8, BigInt(publishedAt))
    return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, this.aes, plain))
  }
}

/** What the source signs: the context and the hashes of both wrapped keys. @param {Context} context */
export const signed = async (context, evaluate, entry) =>
  join(bound('signature', 'source', context), await sha256(evaluate.wrapped), await sha256(entry.wrapped))

/**
 * The public keys as they count at a moment: one that was published ahead is used from its own moment on.
 * @param {{evaluate: string, entry: string, next?: Object<string, {key: string, from: number}>}} keys @param {number} now ms
 */
export function current(keys, now) {
  const one = (name) => (keys.next?.[name] && now >= keys.next[name].from ? keys.next[name].key : keys[name])
  return { evaluate: one('evaluate'), entry: one('entry') }
}
