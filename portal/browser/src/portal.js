// What the portal gives to a browser that somebody logged in with: public keys, a certificate of hours, tokens.
import { fromBase64, toBase64 } from './bytes.js'

/** Nobody is logged in any more, or the portal does not answer. ``what``: name of a text of the page. */
export class PortalFault extends Error {
  constructor(what) {
    super(what)
    this.what = what
  }
}

/** Seconds before its end at which something is asked anew. */
const MARGIN = { certificate: 600, token: 90 }

export class Portal {
  #certificate = null
  #token = null

  /**
   * @param {{publiek: string, certificaat: string, toegang: string, pagina: string, csrf: string}} places addresses, and
   *   the token of Django's forms, which is another after logging in anew
   * @param {typeof fetch} ask
   */
  constructor(places, ask = (...given) => fetch(...given)) {
    Object.assign(this, { places, ask })
    /** How many ms the clock of the server is ahead of ours. */
    this.ahead = 0
  }

  /** ms since 1970, by the clock of the server. */
  now() {
    return Date.now() + this.ahead
  }

  async #json(place, body, again = false) {
    const began = Date.now()
    const told = { credentials: 'same-origin', cache: 'no-store', headers: { Accept: 'application/json' } }
    if (body) {
      Object.assign(told, { method: 'POST', body: JSON.stringify(body) })
      Object.assign(told.headers, { 'Content-Type': 'application/json', 'X-CSRFToken': this.places.csrf })
    }
    const answer = await this.ask(place, told).catch(() => null)
    if (!answer || answer.status >= 500 || answer.status === 429) throw new PortalFault('portaal-weg')
    if (answer.status === 403 && body && !again && (await this.#renewed())) return this.#json(place, body, true)
    const type = answer.headers.get('Content-Type') ?? ''
    if (!answer.ok || answer.redirected || !type.includes('json')) throw new PortalFault('uitgelogd')
    this.#setClock(answer.headers.get('Date'), (began + Date.now()) / 2)
    return answer.json()
  }

  /** Whether the page, asked anew, has another token for its forms: somebody logged in again in another tab. */
  async #renewed() {
    const answer = await this.ask(this.places.pagina, { credentials: 'same-origin', cache: 'no-store' }).catch(() => null)
    const text = answer?.ok && !answer.redirected ? await answer.text() : ''
    const csrf = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(text)?.[1]
    if (csrf) this.places.csrf = csrf
    return Boolean(csrf)
  }

  #setClock(date, asked) {
    const server = Date.parse(date ?? '')
    // The header has whole seconds: a difference of less than two says nothing.
    if (!Number.isNaN(server)) this.ahead = Math.abs(server - asked) < 2_000 ? 0 : Math.round(server - asked)
  }

  /** Public keys, ids of the schemas, sender, address of the intake, kinds. */
  async publicKeys() {
    return this.#json(this.places.publiek)
  }

  /** @param {CryptoKeyPair} signing @returns {Promise<{der: Uint8Array, until: number}>} until: seconds since 1970 */
  async certificate(signing) {
    if (!this.#counts(this.#certificate, MARGIN.certificate)) {
      const sleutel = toBase64(new Uint8Array(await crypto.subtle.exportKey('raw', signing.publicKey)))
      const { certificaat, tot } = await this.#json(this.places.certificaat, { sleutel })
      this.#certificate = { der: fromBase64(certificaat), until: tot }
    }
    return this.#certificate
  }

  /** For the intake. ``anew``: it did not take the one that we have. */
  async token(anew = false) {
    if (anew || !this.#counts(this.#token, MARGIN.token)) {
      const { token, tot } = await this.#json(this.places.toegang, {})
      this.#token = { text: token, until: tot }
    }
    return this.#token.text
  }

  #counts(one, margin) {
    return one !== null && one.until - margin > this.now() / 1000
  }
}
