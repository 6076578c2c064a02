// The journal of this browser: the rows of its own deliveries, encrypted, so that they can be searched and put right.
import { join, utf8 } from './bytes.js'

/**
 * @typedef {Object} Delivery
 * @property {string} id @property {string} kind @property {boolean} test @property {number} lines
 * @property {number} at moment of delivering, ms
 * @property {'sending' | 'sent' | 'final' | 'refused'} state
 * @property {number} sent bodies that the intake has @property {number} until end of the certificate, seconds
 * @property {string} [name] of the file that its rows are of
 * @property {[number, string[], string, string, string?][]} rows row number, cells, code and field of what is wrong, and
 *   its file where there is more than one
 * @property {import('./readers.js').FileRecord[]} [full] rows of another kind than scores whole: they may be sealed anew,
 *   and those of a meting put right
 * @property {object | null} receipt the last one @property {object | null} back the delivery that it takes back
 */

const AES = 'AES-GCM'

export class Journal {
  /** @param {import('./store.js').MemoryStore} store @param {string} sender @param {CryptoKey} key */
  constructor(store, sender, key) {
    Object.assign(this, { store, sender, key })
  }

  #name(id) {
    return `${this.sender}/${id}`
  }

  /** One array: the initialisation vector, then what is encrypted. It opens only in its own place. */
  async #closed(place, plain) {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const parameters = { name: AES, iv, additionalData: utf8(place) }
    return { place, raw: join(iv, new Uint8Array(await crypto.subtle.encrypt(parameters, this.key, plain))) }
  }

  async #opened({ place, raw }) {
    const parameters = { name: AES, iv: raw.slice(0, 12), additionalData: utf8(place) }
    return new Uint8Array(await crypto.subtle.decrypt(parameters, this.key, raw.slice(12)))
  }

  async #delivery(value) {
    try {
      return JSON.parse(new TextDecoder().decode(await this.#opened(value)))
    } catch {
      return null // of a key that is gone
    }
  }

  /** @param {Delivery} delivery */
  async save(delivery) {
    const place = this.#name(delivery.id)
    await this.store.put('deliveries', place, await this.#closed(place, utf8(JSON.stringify(delivery))))
  }

  /** @returns {Promise<Delivery | null>} */
  async load(id) {
    const value = await this.store.get('deliveries', this.#name(id))
    return value ? this.#delivery(value) : null
  }

  /** All of them, the newest first. @returns {Promise<Delivery[]>} */
  async all() {
    const values = await this.store.all('deliveries', this.#name(''))
    const found = await Promise.all(values.map((value) => this.#delivery(value)))
    return found.filter(Boolean).sort((a, b) => b.at - a.at)
  }

  /** Keep what was sealed until the intake has it. @param {string} id @param {Uint8Array[]} bodies */
  async keep(id, bodies) {
    await this.store.remove('bodies', `${this.#name(id)}/`)
    for (const [number, body] of bodies.entries()) {
      const place = `${this.#name(id)}/${String(number).padStart(6, '0')}`
      await this.store.put('bodies', place, await this.#closed(place, body))
    }
  }

  /** @returns {Promise<Uint8Array[]>} */
  async bodies(id) {
    const values = await this.store.all('bodies', `${this.#name(id)}/`)
    return Promise.all(values.map((value) => this.#opened(value)))
  }

  async drop(id) {
    await this.store.remove('bodies', `${this.#name(id)}/`)
  }

  /** Forget every delivery of this provider in this browser. What was sent stays sent. */
  async empty() {
    await this.store.remove('deliveries', this.#name(''))
    await this.store.remove('bodies', this.#name(''))
  }
}

/** Whether a row holds what is looked for: a number, or a part of it. @param {string[]} cells @param {string} wanted */
export const holds = (cells, wanted) => cells.slice(0, 3).some((cell) => cell.includes(wanted))
