// The lists of a page: of scores that were typed, pasted or read, and of files of other kinds; each is one delivery.
import { $, element, number, sentence } from './dom.js'
import { isEdited, sourceOf } from './kinds.js'
import { MESSAGES } from './readers.js'
import { FileFault } from './text.js'

/** Rows of all lists: a page holds all of them. */
const MOST_ROWS = 100_000

/** One list. ``files``: names of those that its rows are of, none of scores; ``delivery``: once it is under way. */
export class Lot {
  delivery = null
  /** @type {string[]} */
  files = []

  /** ``batch``: of what was chosen at once, so that what is chosen later is another list */
  constructor(kind, batch = 0) {
    Object.assign(this, { kind, batch, rows: [] })
  }

  get isOpen() {
    return this.delivery === null
  }

  get name() {
    return this.files.length > 1 ? sentence('aantal-bestanden', { aantal: number(this.files.length) }) : this.files[0] ?? ''
  }

  /** The records of one file more; of more than one file each says of which it is. */
  add(file, records) {
    if (this.files.length === 1) this.rows = this.rows.map((row) => ({ ...row, bestand: this.files[0] }))
    this.files.push(file)
    this.rows = this.rows.concat(this.files.length > 1 ? records.map((row) => ({ ...row, bestand: file })) : records)
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

/**
 * Whether a file is of the same delivery: files of CBS always, for a later delivery takes the place of the one before;
 * messages of one kind that were chosen at once.
 */
const isTogether = (lot, kind, batch) =>
  lot.kind === kind && (kind === 'cbs' || (MESSAGES.includes(kind) && lot.batch === batch))

export class Lots {
  /** @type {Lot[]} */
  all = []
  /** List -> its line in the table. @type {Map<Lot, HTMLElement>} */
  #shown = new Map()

  /** @param {import('./desk.js').Desk} desk @param {{show: (lot: Lot) => void, remove: (lot: Lot) => void}} acts */
  constructor(desk, acts) {
    Object.assign(this, { desk, acts, current: this.#begin('score') })
  }

  #begin(kind, batch = 0) {
    const made = new Lot(kind, batch)
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

  /** The records of one file. ``batch``: the same for what was chosen at once. */
  addFile(kind, name, records, batch) {
    if (kind === 'score') return this.addScores(records.map(({ regel, cells }) => [regel, cells]))
    this.#require(records.length)
    const lot = this.all.find((one) => one.isOpen && isTogether(one, kind, batch)) ?? this.#begin(kind, batch)
    lot.add(name, placed(kind, records))
    return this.#choose(lot)
  }

  /** Rows that were put right, as a list of their own. */
  addCorrected(kind, list) {
    const lot = this.#begin(kind)
    lot.rows = this.desk.check(kind, list)
    if (kind !== 'score') lot.files = [sentence('verbeterde-regels')]
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
    this.#shown = new Map(shown.map((lot) => [lot, this.#row(lot, busy)]))
    $('lijsten-tabel').tBodies[0].replaceChildren(...this.#shown.values())
  }

  /** The line of one list anew: there may be hundreds. @param {Lot} lot */
  update(lot) {
    const made = this.#row(lot, true)
    this.#shown.get(lot)?.replaceWith(made)
    this.#shown.set(lot, made)
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
