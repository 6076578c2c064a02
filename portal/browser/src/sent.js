// A delivery that is under way or done, on the screen: counts, rows, correcting what was refused, sending that anew.
import { $, alarm, element, number, say, sentence } from './dom.js'
import { toldOf } from './desk.js'
import { edit, sourceOf } from './kinds.js'
import { counts, sentStates } from './states.js'

const REFUSED = ['afgekeurd', 'ingetrokken', 'fout']

export class SentView {
  #corrected = new Map()

  /**
   * @param {import('./desk.js').Desk} desk @param {import('./row-table.js').RowTable} table
   * @param {(kind: string, rows: import('./kinds.js').Entry[]) => void} redeliver gets the rows that were put right
   */
  constructor(desk, table, redeliver) {
    Object.assign(this, { desk, table })
    $('opnieuw').addEventListener('click', () => redeliver(this.delivery.kind, this.#taken()))
  }

  /** @param {import('./journal.js').Delivery} delivery */
  show(delivery, fresh = false) {
    if (fresh) {
      const editable = (state) => this.#done() && REFUSED.includes(state)
      this.table.reset({ kind: delivery.kind, edit: (place) => this.#edit(place), editable })
      this.#corrected.clear()
    }
    this.delivery = delivery
    this.rows = delivery.full ?? delivery.rows.map(([regel, cells, code, veld, bestand]) => ({ regel, cells, code, veld, bestand }))
    const states = sentStates(this.rows, delivery.receipt, this.desk.rules.messages)
    const shown = this.rows.map((row, place) => (this.#corrected.has(place) ? this.#anew(this.#corrected.get(place)) : row))
    this.table.show(shown, states)
    this.#counts()
    $('opnieuw').hidden = this.#corrected.size === 0
    $('opnieuw').textContent = sentence('opnieuw', { aantal: number(this.#corrected.size) })
  }

  /** The four counts, what waits, and what was refused beyond the list. */
  #counts() {
    const { receipt, lines } = this.delivery
    for (const [name, value] of Object.entries(counts(lines, receipt))) $(`telling-${name}`).textContent = number(value)
    const waits = (receipt?.wacht ?? []).map(({ aantal, melding }) => element('li', {}, `${number(aantal)}: ${melding}`))
    $('wacht').replaceChildren(...waits)
    $('telling').hidden = false
  }

  /** A row as it is now that it was put right. */
  #anew(source) {
    return this.desk.check(this.delivery.kind, source)[0] ?? { regel: source[0][0], cells: [], lines: source }
  }

  #done() {
    return ['final', 'refused'].includes(this.delivery.state)
  }

  async #edit(place) {
    const row = this.rows[place], lines = this.#corrected.get(place) ?? sourceOf(row)
    const changed = await edit(this.delivery.kind, { regel: row.regel, cells: lines[0][1], lines }, this.table.states[place].melding)
    if (!changed?.length) return
    this.#corrected.set(place, changed)
    this.table.changed.add(place)
    this.show(this.delivery)
    say(sentence('verbeterd', { nr: this.rows[place].regel }))
  }

  #taken() {
    return [...this.#corrected].sort(([a], [b]) => a - b).flatMap(([, source]) => source)
  }
}

/** What a page says while a delivery is under way. @param {HTMLElement} root */
export function progress(root, { phase, done = 0, of = 0, receipt, known }) {
  const bar = $('voortgang')
  if (known) $('al-bekend').hidden = false
  if (!phase) return
  root.dataset.stand = receipt?.klaar ? 'klaar' : phase
  bar.hidden = Boolean(receipt?.klaar)
  if (phase === 'follow') bar.removeAttribute('value')
  else bar.value = of ? done / of : 0
  if (receipt) say(sentence(receipt.klaar ? 'klaar' : 'verwerken', toldCounts(receipt)))
  // The bar moves with every part; who listens hears of a phase once.
  else if (phase !== 'seal' || !done) say(sentence(`bezig-${phase}`, { klaar: number(done), aantal: number(of) }))
}

/** The counts of a receipt as words. @param {object} receipt */
export const toldCounts = (receipt) =>
  Object.fromEntries(Object.entries(counts(receipt.records, receipt)).map(([name, value]) => [name, number(value)]))

/** A delivery that did not come through. */
export function failed(root, error, messages) {
  root.dataset.stand = 'fout'
  $('voortgang').hidden = true
  say('')
  alarm(toldOf(error, messages))
}
