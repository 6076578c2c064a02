// The form for one client (S0): problem reduction and goals, each rater a row of choices. All of it from the rules.
import { $, element, sentence } from './dom.js'

/** Types that the form shows at once; the others are added by hand. */
const AT_ONCE = ['PB', 'PO', 'PC', 'D1O', 'D1C', 'D2O', 'D2C']

export class ScoreForm {
  /** @param {object} rules @param {(rows: string[][]) => void} add */
  constructor(rules, add) {
    Object.assign(this, { rules, add, form: $('invullen') })
    this.#start()
    $('type-toevoegen').addEventListener('click', () => this.#addChosen())
    this.form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#take()
    })
  }

  #start() {
    $('scores').replaceChildren(...AT_ONCE.filter((type) => type in this.rules.types).map((type) => this.#fieldset(type)))
    this.#offer()
  }

  #name(type) {
    const [goal, rater] = this.rules.types[type]
    const who = sentence(`beoordelaar-${rater}`)
    return goal ? sentence('doel', { nr: goal, wie: who }) : sentence('probleemafname', { wie: who })
  }

  /** The values of a type, each once: ``x`` and ``X`` say the same. */
  #values(type) {
    const table = this.rules.types[type][0] ? this.rules.gas : this.rules.probleem
    const order = (value) => (table[value] === null ? 99 : table[value])
    return Object.keys(table).filter((value) => value !== 'X').sort((a, b) => order(a) - order(b))
  }

  #fieldset(type) {
    const choices = this.#values(type).map((value) =>
      element('label', {}, element('input', { type: 'radio', name: `score-${type}`, value, className: 'utrecht-radio-button' }),
        value === '-1' ? '−1' : value))
    const legend = element('legend', { className: 'utrecht-form-label' }, this.#name(type))
    return element('fieldset', { data: { type } }, legend, element('div', { className: 'sor-values' }, ...choices))
  }

  /** Types that are not in the form yet. */
  #offer() {
    const there = new Set([...$('scores').children].map((one) => one.dataset.type))
    const left = Object.keys(this.rules.types).filter((type) => !there.has(type))
    const choices = left.map((type) => element('option', { value: type }, this.#name(type)))
    $('type-kiezen').replaceChildren(element('option', { value: '' }, sentence('kies-type')), ...choices)
  }

  #addChosen() {
    const type = $('type-kiezen').value
    if (!type) return
    const made = this.#fieldset(type)
    $('scores').append(made)
    this.#offer()
    made.querySelector('input').focus()
  }

  /** A row for each score that was chosen. */
  #take() {
    const value = (name) => this.form.elements[name].value.trim()
    const client = [value('bsn'), value('beschikking'), value('toewijzing')]
    const chosen = [...$('scores').querySelectorAll('input:checked')]
    this.add(chosen.map((input) => [...client, input.closest('fieldset').dataset.type, input.value]))
    if (!chosen.length) return
    this.form.reset()
    this.#start()
    this.form.elements.bsn.focus()
  }
}
