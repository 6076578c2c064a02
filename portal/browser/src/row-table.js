// The rows of a list or a delivery on the screen: a hundred at a time, with a filter, so that ten thousand are quick.
import { masked } from './checks.js'
import { $, element, number, sentence } from './dom.js'
import { isEditable } from './kinds.js'
import { COLUMNS } from './readers.js'
import { hint } from './states.js'

const AT_ONCE = 100
/** A sign beside the words, so that no colour carries the meaning alone. */
const MARKS = { goed: '○', fout: '✗', bezig: '…', geaccepteerd: '✓', afgekeurd: '✗', ingetrokken: '✗', geteld: '•', teruggenomen: '↩' }
const BADGES = { fout: 'danger', afgekeurd: 'danger', ingetrokken: 'danger', geaccepteerd: 'safe' }

export class RowTable {
  #page = 0
  #shown = []

  /**
   * What can be done with a row; another list puts its own in place.
   * @type {{kind: string, edit: (place: number) => void, remove?: (place: number) => void, editable: (state: string) => boolean}}
   */
  acts = { kind: 'score', edit: () => {}, editable: () => false }

  /** @param {object} rules */
  constructor(rules) {
    Object.assign(this, { rules, rows: [], states: [], changed: new Set() })
    $('filter').addEventListener('change', () => this.#from(0))
    $('zoek-regel').addEventListener('input', () => this.#from(0))
    $('vorige').addEventListener('click', () => this.#from(this.#page - 1))
    $('volgende').addEventListener('click', () => this.#from(this.#page + 1))
  }

  /** @param {import('./checks.js').Checked[]} rows @param {import('./states.js').RowState[]} states */
  show(rows, states) {
    Object.assign(this, { rows, states })
    this.#from(this.#page)
  }

  /** From the beginning, with every state. @param {RowTable['acts']} acts */
  reset(acts) {
    this.acts = acts
    $('filter').value = ''
    $('zoek-regel').value = ''
    this.#page = 0
    this.changed.clear()
    const names = ['regel', ...COLUMNS[acts.kind], 'status', 'actie']
    const heads = names.map((name) => element('th', { scope: 'col', className: 'utrecht-table__header-cell' }, sentence(`kop-${name}`)))
    $('rijen').tHead.rows[0].replaceChildren(...heads)
  }

  #wanted(place) {
    const state = $('filter').value, text = $('zoek-regel').value.trim()
    return (!state || this.states[place].state === state) && (!text || this.rows[place].cells.some((cell) => cell.includes(text)))
  }

  #from(page) {
    const all = this.rows.map((_, place) => place).filter((place) => this.#wanted(place))
    const pages = Math.max(1, Math.ceil(all.length / AT_ONCE))
    this.#page = Math.min(Math.max(0, page), pages - 1)
    this.#shown = all.slice(this.#page * AT_ONCE, (this.#page + 1) * AT_ONCE)
    const focused = document.activeElement?.dataset?.place
    $('rijen').tBodies[0].replaceChildren(...this.#shown.map((place) => this.#row(place)))
    if (focused) $('rijen').querySelector(`button[data-place="${focused}"]`)?.focus()
    $('bladeren').hidden = pages === 1
    $('vorige').disabled = this.#page === 0
    $('volgende').disabled = this.#page === pages - 1
    const first = this.#page * AT_ONCE
    const values = { van: number(first + 1), tot: number(first + this.#shown.length), aantal: number(all.length) }
    $('getoond').textContent = all.length ? sentence('getoond', values) : sentence('geen-regels')
  }

  #row(place) {
    const { regel, cells, bestand } = this.rows[place], head = (name) => ({ head: sentence(`kop-${name}`) })
    const columns = COLUMNS[this.acts.kind], told = cells.length === columns.length ? cells : columns.map(() => '')
    const cell = (name, ...content) => element('td', { className: 'utrecht-table__cell', data: head(name) }, ...content)
    return element(
      'tr', { className: 'utrecht-table__row', data: { regel } },
      cell('regel', [number(regel), bestand].filter(Boolean).join(', ')),
      ...columns.map((name, at) => cell(name, name === 'bsn' ? masked(told[at]) : told[at])),
      cell('status', this.#state(place)), this.#actions(place, cell),
    )
  }

  #state(place) {
    const { state, code, veld, melding } = this.states[place], changed = this.changed.has(place)
    const name = changed ? 'verbeterd' : state
    const badge = element(
      'span', { className: `sor-state utrecht-badge-status utrecht-badge-status--${BADGES[name] ?? 'neutral'}`, data: { mark: MARKS[name] ?? '✎', state: name } },
      sentence(`status-${name}`),
    )
    if (changed || !code) return badge
    const row = this.rows[place], elsewhere = this.acts.editable(state) && !isEditable(this.acts.kind, row)
    const advice = [hint(this.rules, { code, cells: row.cells }), elsewhere ? sentence('verbeter-bestand') : '']
    const more = [melding, ...advice].filter(Boolean).join(' ')
    const where = [code, veld].filter(Boolean).join(', ')
    return element('div', {}, badge, element('div', {}, `${more} (${where})`))
  }

  #actions(place, cell) {
    const button = (name, act) =>
      element('button', {
        type: 'button', className: 'utrecht-button utrecht-button--subtle', data: { place: `${place}${name}` }, onclick: act,
        ariaLabel: sentence(`${name}-regel`, { nr: this.rows[place].regel }),
      }, sentence(name))
    const made = []
    if (this.acts.editable(this.states[place].state) && isEditable(this.acts.kind, this.rows[place])) made.push(button('verbeter', () => this.acts.edit(place)))
    if (this.acts.remove) made.push(button('verwijder', () => this.acts.remove(place)))
    return made.length ? cell('actie', element('div', {}, ...made)) : cell('actie')
  }
}
