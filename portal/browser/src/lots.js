// The lists of a page: of scores that were typed, pasted or read, and of files of other kinds; each is one delivery.
import { $, element, number, sentence } from './dom.js'
import { isEdited, sourceOf } from './kinds.js'
import { MESSAGES } from './readers.js'
import { FileFault } from './text.js'

/** Rows of all lists: a page holds all of them. */
const MOST_ROWS = 100_000

/** One list. ``name``: of its file, '' of scores; ``delivery``: once it is under way. */
export class Lot {
  delivery = null

  constructor(kind, name = '') {
    Object.assign(this, { kind, name, rows: [] })
  }

  get isOpen() {
    return this.delivery === null
  }

  /** How many rows are wrong. */
  get wrong() {
    return this.rows.filter((row) => row.code).length
  }

  /** The rows as they were read, in the order in which they stood. @returns {import('./kinds.js').Entry[]} */
  source() {
    return this.rows.flatMap(sourceOf).sort(([a], [b]) => a - b)
  }
}

/** The records of a message know how many it has, and their place. @param {import('./readers.js').FileRecord[]} records */
export const placed = (kind, records) =>
  MESSAGES.includes(kind) ? records.map((row, place) => ({ ...row, records: records.length, plaats: place + 1 })) : records

export class Lots {
  /** @type {Lot[]} */
  all = []

  /** @param {import('./desk.js').Desk} desk @param {{show: (lot: Lot) => void, remove: (lot: Lot) => void}} acts */
  constructor(desk, acts) {
    Object.assign(this, { desk, acts, current: this.#begin('score') })
  }

  #begin(kind, name = '') {
    const made = new Lot(kind, name)
    this.all.push(made)
    return made
  }

  #require(more) {
    if (this.all.reduce((sum, lot) => sum + lot.rows.length, more) > MOST_ROWS) throw new FileFault('B05')
  }

  /** Those that can be delivered. */
  get open() {
    return this.all.filter((lot) => lot.isOpen && lot.rows.length)
  }

  /** Scores go behind those of the open list, which numbers them; rows of a file keep the numbers of its lines there. */
  addScores(rows, numbered = true) {
    this.#require(rows.length)
    const lot = this.all.find((one) => one.kind === 'score' && one.isOpen) ?? this.#begin('score')
    const list = lot.source(), last = list.at(-1)?.[0] ?? 0
    const more = list.length || !numbered ? rows.map(([, cells], place) => [last + place + 1, cells]) : rows
    lot.rows = this.desk.check('score', list.concat(more))
    return this.#choose(lot)
  }

  /** The records of one file; files of CBS are one delivery, for a later one takes the place of the one before. */
  addFile(kind, name, records) {
    if (kind === 'score') return this.addScores(records.map(({ regel, cells }) => [regel, cells]))
    this.#require(records.length)
    const there = kind === 'cbs' ? this.all.find((one) => one.kind === 'cbs' && one.isOpen) : null
    const lot = there ?? this.#begin(kind, name)
    if (there) there.name = `${there.name}, ${name}`
    const bestand = kind === 'cbs' ? name : undefined
    lot.rows = lot.rows.concat(placed(kind, records).map((row) => ({ ...row, bestand })))
    return this.#choose(lot)
  }

  /** Rows that were put right, as a list of their own. */
  addCorrected(kind, list) {
    const lot = this.#begin(kind, kind === 'score' ? '' : sentence('verbeterde-regels'))
    lot.rows = this.desk.check(kind, list)
    return this.#choose(lot)
  }

  #choose(lot) {
    this.current = lot
    return lot
  }

  /** Other rows in place of one of the open list; none: it goes. @param {import('./kinds.js').Entry[]} changed */
  replace(place, changed) {
    const { kind, rows } = this.current
    if (isEdited(kind)) {
      const list = rows.flatMap((row, at) => (at === place ? changed : sourceOf(row))).sort(([a], [b]) => a - b)
      this.current.rows = this.desk.check(kind, list)
    }
  }

  /** @param {Lot} lot */
  remove(lot) {
    this.all = this.all.filter((one) => one !== lot)
    if (!this.all.length) this.#begin('score')
    if (this.current === lot) this.current = this.open[0] ?? this.all.at(-1)
  }

  clear() {
    this.all = []
    this.current = this.#begin('score')
  }

  /** The table of lists, once there is more to see than one list of scores. */
  show(busy) {
    const shown = this.all.filter((lot) => lot.rows.length)
    $('lijsten').hidden = shown.length < 2 && !shown.some((lot) => lot.kind !== 'score')
    $('lijsten-tabel').tBodies[0].replaceChildren(...shown.map((lot) => this.#row(lot, busy)))
  }

  #row(lot, busy) {
    const cell = (name, ...content) =>
      element('td', { className: 'utrecht-table__cell', data: { head: sentence(`kop-${name}`) } }, ...content)
    const name = lot.name || sentence('lijst-zonder-naam')
    const button = (what, act) => element('button', {
      type: 'button', className: 'utrecht-button utrecht-button--subtle', onclick: act, disabled: busy,
      ariaLabel: sentence(`${what}-lijst`, { naam: name }),
    }, sentence(what))
    const acts = lot === this.current ? [element('span', {}, sentence('staat-hieronder'))] : [button('toon', () => this.acts.show(lot))]
    if (lot.isOpen) acts.push(button('verwijder', () => this.acts.remove(lot)))
    return element(
      'tr', { className: 'utrecht-table__row', data: { soort: lot.kind, stand: lot.delivery?.state ?? 'open' } },
      cell('bestand', name), cell('soort', sentence(`soort-${lot.kind}`)), cell('regels', number(lot.rows.length)),
      cell('fout', number(this.#wrong(lot))), cell('status', this.#state(lot)), cell('actie', element('div', {}, ...acts)),
    )
  }

  #wrong({ delivery, wrong }) {
    const receipt = delivery?.receipt
    return receipt ? (receipt.afgekeurd ?? 0) + (receipt.ingetrokken ?? 0) : wrong
  }

  #state({ delivery }) {
    if (!delivery) return sentence('status-goed')
    if (delivery.state === 'refused') return sentence('aanlevering-geweigerd')
    return sentence(delivery.receipt?.klaar ? `aanlevering-${delivery.receipt.status}` : 'status-bezig')
  }
}
