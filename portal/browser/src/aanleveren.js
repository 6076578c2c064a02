// The page on which scores are delivered: fill in, paste or choose a file, look at the list, send, see what became of it.
import { parse } from './checks.js'
import { attempt, Desk } from './desk.js'
import { $, alarm, number, say, sentence } from './dom.js'
import { editRow, RowTable } from './row-table.js'
import { ScoreForm } from './score-form.js'
import { failed, progress, SentView } from './sent.js'
import { unsent } from './states.js'
import { decode, FileFault } from './text.js'

const root = $('aanleveren')
/** Bytes of the largest file, and rows of a list: a page holds all of them. */
const MOST_BYTES = 16_000_000
const MOST_ROWS = 100_000

class Page {
  /** @type {[number, string[]][]} row number and cells */
  #list = []
  #rows = []
  #busy = false

  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk
    this.table = new RowTable(desk.rules)
    this.sent = new SentView(desk, this.table, (rows) => this.#again(rows))
    new ScoreForm(desk.rules, (rows) => this.#try(() => this.#filledIn(rows)))
    $('plakken-toevoegen').addEventListener('click', () => this.#try(() => this.#paste()))
    $('bestand').addEventListener('change', () => this.#try(() => this.#file()))
    $('leveren').addEventListener('click', () => this.#deliver())
    $('leegmaken').addEventListener('click', () => this.#new())
    $('nieuw').addEventListener('click', () => this.#new())
    this.#new(true)
  }

  #try(work) {
    alarm('')
    return attempt(this.desk.rules.messages, work)
  }

  #numbered(rows) {
    const last = this.#list.at(-1)?.[0] ?? 0
    return rows.map((cells, place) => [last + place + 1, cells])
  }

  /** Rows of a file keep the numbers of its lines, unless the list holds others already. */
  #add(rows) {
    alarm('')
    if (this.#list.length + rows.length > MOST_ROWS) throw new FileFault('B05')
    this.#list = this.#list.concat(this.#list.length ? this.#numbered(rows.map(([, cells]) => cells)) : rows)
    this.#show()
    say(sentence('toegevoegd', { aantal: number(rows.length), fout: number(this.#rows.filter((row) => row.code).length) }))
    this.desk.workshop.start()
  }

  #filledIn(rows) {
    if (rows.length) this.#add(this.#numbered(rows))
    else alarm(sentence('kies-waarde'))
  }

  #paste() {
    this.#add(parse(this.desk.rules, $('plakken').value, true).map(({ regel, cells }) => [regel, cells]))
    $('plakken').value = ''
  }

  async #file() {
    const [file] = $('bestand').files
    if (!file) return
    try {
      if (file.size > MOST_BYTES) throw new FileFault('B05')
      const text = decode(new Uint8Array(await file.arrayBuffer()))
      this.#add(parse(this.desk.rules, text).map(({ regel, cells }) => [regel, cells]))
    } finally {
      $('bestand').value = ''
    }
  }

  #show() {
    this.#rows = this.desk.check(this.#list)
    this.table.show(this.#rows, this.#rows.map((row) => unsent(row, this.desk.rules.messages)))
    $('lijst').hidden = this.#list.length === 0
    $('leveren').disabled = this.#list.length === 0
    root.dataset.stand = this.#list.length ? 'lijst' : 'leeg'
  }

  /** The list as it is, ready to be worked on. */
  #listed() {
    this.table.reset({ edit: (place) => this.#edit(place), remove: (place) => this.#remove(place), editable: () => true })
    for (const id of ['telling', 'nieuw', 'opnieuw', 'voortgang', 'al-bekend']) $(id).hidden = true
    for (const id of ['lijst-acties', 'invoer']) $(id).hidden = false
    this.#show()
  }

  /** An empty list, ready for other rows. */
  #new(first = false) {
    if (this.#busy) return
    this.#list = []
    this.#listed()
    if (!first) {
      alarm('')
      say(sentence('lijst-leeg'))
      $('invullen').elements.bsn.focus()
    }
  }

  async #edit(place) {
    const changed = await editRow(this.#rows[place], this.table.states[place].melding)
    if (!changed) return
    this.#list[place] = [this.#list[place][0], changed]
    this.#show()
    const { code } = this.#rows[place]
    say(sentence(code ? 'nog-fout' : 'verbeterd', { nr: this.#list[place][0] }))
  }

  #remove(place) {
    const [[regel]] = this.#list.splice(place, 1)
    this.#show()
    say(sentence('verwijderd', { nr: regel }))
    $('getoond').focus()
  }

  #again(rows) {
    this.#list = rows
    this.#rows = this.desk.check(rows)
    this.#deliver()
  }

  async #deliver() {
    if (this.#busy || !this.#list.length) return
    this.#busy = true
    for (const id of ['lijst-acties', 'invoer', 'opnieuw', 'al-bekend']) $(id).hidden = true
    alarm('')
    $('stand').focus() // the button that had the focus is gone
    let shown = null
    const tell = (word, delivery) => {
      progress(root, word)
      if (!delivery) return
      this.sent.show(delivery, delivery !== shown)
      shown = delivery
    }
    try {
      await this.desk.delivering(tell).deliver({ rows: this.#rows, test: $('proef').checked })
      $('nieuw').hidden = false
    } catch (error) {
      // What the intake does not have yet is a list still: sent again it is the same delivery.
      if (!['sent', 'final'].includes(shown?.state)) this.#listed()
      else $('nieuw').hidden = false
      failed(root, error, this.desk.rules.messages)
    } finally {
      this.#busy = false
    }
  }
}

await attempt({}, async () => {
  const desk = await Desk.open(root)
  new Page(desk)
  root.dataset.klaar = 'ja'
  let told = false
  await desk.resume((word, delivery) => {
    if (delivery && !told) say(sentence('gaat-verder'))
    told = true
    if (word.receipt?.klaar) say(sentence('afgemaakt'))
  })
})
