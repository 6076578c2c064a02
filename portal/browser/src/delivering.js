// One delivery from rows to its final receipt, so that it can break off anywhere and go on later without a double.
import { Refused } from './intake.js'
import { isEdited } from './kinds.js'

/**
 * @typedef {import('./journal.js').Delivery} Delivery
 * @typedef {{phase?: 'seal' | 'send' | 'follow', done?: number, of?: number, receipt?: object, known?: boolean}} Word
 */

/** Only one tab works at a delivery. ``wait``: until another is done. @returns {Promise<boolean>} whether it was this one */
async function alone(name, wait, work) {
  if (!globalThis.navigator?.locks) {
    await work()
    return true
  }
  return navigator.locks.request(name, { ifAvailable: !wait }, async (lock) => {
    if (lock) await work()
    return lock !== null
  })
}

export class Delivering {
  /**
   * @param {{portal: import('./portal.js').Portal, intake: import('./intake.js').Intake,
   *   journal: import('./journal.js').Journal, identity: object, sender: string, facts: object,
   *   seal: (job: object, progress: (done: number) => void) => Promise<object>}} parts
   * @param {(word: Word, delivery: Delivery | null) => void} tell
   */
  constructor(parts, tell = () => {}) {
    Object.assign(this, parts, { tell })
  }

  /**
   * Seal, keep, send and follow rows, or the taking back of a delivery. ``name``: of the file that they are of.
   * @returns {Promise<Delivery>}
   */
  async deliver({ kind = 'score', rows = [], test = false, back = null, name = '' }) {
    const lines = back ? 1 : rows.length
    this.tell({ phase: 'seal', done: 0, of: lines }, null)
    const { made, until } = await this.#sealed({ kind, rows, test, back })
    const before = await this.journal.load(made.delivery)
    const delivery = {
      id: made.delivery, kind, test, lines, at: this.portal.now(), state: 'sending', sent: 0, until, back, receipt: null, name,
      rows: rows.map(({ regel, cells, code, veld, bestand }) => [regel, cells, code, veld, bestand]),
      ...(kind === 'score' ? {} : { full: rows }),
    }
    this.tell({ known: before?.state === 'final' }, delivery)
    await this.#finish(delivery, rows, made.bodies)
    return delivery
  }

  /** Go on with a delivery that was not done. ``check``: cells of scores anew to rows. False when another tab is at it. */
  async resume(delivery, check) {
    const rows = delivery.back ? [] : delivery.full ?? check(delivery.rows)
    return this.#finish(delivery, rows)
  }

  async #sealed({ kind, rows, test, back }) {
    const keys = await this.portal.publicKeys()
    const { der, until } = await this.portal.certificate(this.identity.signing)
    const context = { kind, sender: this.sender, test, epoch: keys.epoch }
    const job = {
      keys, ids: keys.ids, facts: this.facts, context, rows, back: back ?? undefined, certificate: der, now: this.portal.now(),
      signing: this.identity.signing.privateKey, naming: this.identity.naming,
    }
    const made = await this.seal(job, (done) => this.tell({ phase: 'seal', done, of: rows.length }, null))
    return { made, until }
  }

  async #keep(delivery, bodies) {
    await this.journal.keep(delivery.id, bodies)
    await this.journal.save(delivery)
  }

  /** ``bodies``: of a delivery that is new here. */
  async #finish(delivery, rows, bodies = null) {
    const whole = await alone(`sor/${this.sender}/${delivery.id}`, bodies !== null, async () => {
      if (bodies) await this.#keep(delivery, bodies)
      if (delivery.state === 'sending') await this.#send(delivery, rows)
    })
    if (whole && delivery.state === 'sent') await this.follow(delivery)
    return whole
  }

  /** Bodies that the intake does not have yet. Under a certificate that has ended they are sealed anew: the same id. */
  async #send(delivery, rows) {
    let bodies = await this.journal.bodies(delivery.id), fresh = false
    for (;;) {
      const ends = delivery.until * 1000 < this.portal.now() + 60_000
      if (!fresh && (ends || !bodies.length)) {
        bodies = await this.#again(delivery, rows)
        fresh = true
      }
      try {
        await this.#post(delivery, bodies)
        return
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        if (fresh || error.type !== 'niet-vertrouwd') {
          delivery.state = 'refused'
          await this.journal.save(delivery)
          throw error
        }
        bodies = []
      }
    }
  }

  async #again(delivery, rows) {
    if (delivery.back) throw new Refused(403, 'niet-vertrouwd')
    const { made, until } = await this.#sealed({ kind: delivery.kind, rows, test: delivery.test, back: null })
    if (made.delivery !== delivery.id) throw new Refused(409, 'andere-regels')
    Object.assign(delivery, { until, sent: 0 })
    await this.#keep(delivery, made.bodies)
    return made.bodies
  }

  async #post(delivery, bodies) {
    for (let number = delivery.sent; number < bodies.length; number += 1) {
      this.tell({ phase: 'send', done: number, of: bodies.length }, delivery)
      await this.intake.post(bodies[number])
      delivery.sent = number + 1
      await this.journal.save(delivery)
    }
    delivery.state = 'sent'
    await this.journal.save(delivery)
    await this.journal.drop(delivery.id)
  }

  /** Follow the receipt of a delivery until it is final. @param {Delivery} delivery @param {AbortSignal} [signal] */
  async follow(delivery, signal) {
    const which = { id: delivery.id, lines: delivery.lines, sender: this.sender }
    this.tell({ phase: 'follow' }, delivery)
    for await (const receipt of this.intake.receipts(which, signal)) {
      delivery.receipt = receipt
      if (receipt.klaar) {
        delivery.state = 'final'
        if (!isEdited(delivery.kind)) delete delivery.full // nothing of it is put right here
        await this.journal.save(delivery)
      }
      this.tell({ phase: 'follow', receipt }, delivery)
    }
  }
}
