// The page of delivering: fill in, paste or choose files, look at the lists, send, see what became of each row.
import { masked, parse } from './checks.js'
import { attempt, Desk, toldOf, toldOfFinding } from './desk.js'
import { $, alarm, element, number, say, sentence } from './dom.js'
import { edit } from './kinds.js'
import { Lots } from './lots.js'
import { ELSEWHERE, readFile } from './recognise.js'
import { RowTable } from './row-table.js'
import { ScoreForm } from './score-form.js'
import { failed, progress, SentView } from './sent.js'
import { unsent } from './states.js'
import { FileFault } from './text.js'
import { unpacked } from './unzip.js'

const root = $('aanleveren')
/** Bytes of the largest file: a page holds all of it. */
const MOST_BYTES = 16_000_000
/** Files at once. */
const MOST_FILES = 500
/** Kinds of which there is an example to download. */
const EXAMPLES = ['score', 'cem', 'start', 'stop', 'declaration']

class Page {
  #busy = false
  #batch = 0

  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk
    this.table = new RowTable(desk.rules)
    this.lots = new Lots(desk, { show: (lot) => this.#choose(lot), remove: (lot) => this.#removeLot(lot) })
    this.sent = new SentView(desk, this.table, (kind, rows) => this.#again(kind, rows))
    new ScoreForm(desk.rules, (rows) => this.#try(() => this.#filledIn(rows)))
    $('plakken-toevoegen').addEventListener('click', () => this.#try(() => this.#paste()))
    $('bestand').addEventListener('change', () => this.#try(() => this.#files()))
    $('leveren').addEventListener('click', () => this.#deliver(this.lots.open))
    $('leegmaken').addEventListener('click', () => this.#new())
    $('nieuw').addEventListener('click', () => this.#new())
    this.#offerPeriods()
    this.#listed()
  }

  #try(work) {
    alarm('')
    return attempt(this.desk.rules.messages, work)
  }

  /** The half years of which a file of CBS is taken, where this portal takes them. */
  #offerPeriods() {
    const periods = this.desk.periods()
    for (const id of ['periode-kiezen', 'cbs-uitleg']) $(id).hidden = !periods.length
    const choices = periods.map((period) => element('option', { value: period }, period))
    $('periode').replaceChildren(element('option', { value: '' }, sentence('kies-periode')), ...choices)
  }

  #added(rows) {
    this.#listed()
    const fout = number(this.lots.all.reduce((sum, lot) => sum + lot.wrong, 0))
    say(sentence('toegevoegd', { aantal: number(rows), fout }))
    this.desk.workshop.start()
  }

  #filledIn(rows) {
    if (!rows.length) {
      alarm(sentence('kies-waarde'))
      return
    }
    this.lots.addScores(rows.map((cells) => [0, cells]), false)
    this.#added(rows.length)
  }

  #paste() {
    const rows = parse(this.desk.rules, $('plakken').value, true)
    this.lots.addScores(rows.map(({ regel, cells }) => [regel, cells]))
    this.#added(rows.length)
    $('plakken').value = ''
  }

  async #files() {
    const wrong = [], batch = (this.#batch += 1)
    let rows = 0, outside = 0
    $('geweigerd').replaceChildren()
    for await (const { name, raw, fault } of this.#chosen([...$('bestand').files])) {
      try {
        if (fault) throw fault
        const read = await this.#read(raw, name)
        this.lots.addFile(read.kind, shownName(name), read.records, batch)
        rows += read.records.length
        outside += read.outside
      } catch (error) {
        if (!(error instanceof FileFault)) throw error
        wrong.push(this.#refused(shownName(name), error))
      }
    }
    $('bestand').value = ''
    if (rows) this.#added(rows)
    if (outside) $('stand').append(' ', sentence('andere-gemeenten', { aantal: number(outside) }))
    if (!wrong.length) return
    $('geweigerd').replaceChildren(...wrong)
    alarm(sentence('bestanden-geweigerd', { aantal: number(wrong.length) }))
  }

  /** The files that were chosen, and those in zip files. @param {File[]} files */
  async *#chosen(files) {
    for (const file of files.slice(0, MOST_FILES)) {
      if (file.size > MOST_BYTES) yield { name: file.name, fault: new FileFault('B05') }
      else yield* unpacked(new Uint8Array(await file.arrayBuffer()), file.name, this.desk.rules)
    }
  }

  #read(raw, name) {
    const { context, layout } = this.desk
    return readFile(raw, name, { ...context, layout, periode: $('periode').value })
  }

  /** What is wrong with a file, what was expected, and an example of that. */
  #refused(name, fault) {
    const { messages } = this.desk.rules, told = element('li', {}, element('strong', {}, name), ': ')
    if (fault.code === ELSEWHERE) {
      told.append(sentence('gaat-elders'))
      return told
    }
    if (fault.found.length === 1) told.append(toldOf(fault, messages))
    else told.append(element('ul', { className: 'utrecht-unordered-list' },
      ...fault.found.map((one) => element('li', {}, toldOfFinding(one, messages, fault.kind)))))
    if (['B21', 'B05', 'B17'].includes(fault.code)) return told
    if (!this.desk.layout && ['B02', 'B14'].includes(fault.code)) told.append(' ', sentence('geen-cbs'))
    told.append(' ', sentence(`verwacht${fault.kind ? `-${fault.kind}` : ''}`))
    for (const kind of EXAMPLES) {
      if (!fault.kind || fault.kind === kind) told.append(' ', document.querySelector(`[data-voorbeeld="${kind}"]`).cloneNode(true))
    }
    return told
  }

  #choose(lot) {
    this.lots.current = lot
    if (lot.isOpen) this.#listed()
    else this.#shown()
    $('lijst-kop').focus()
  }

  #removeLot(lot) {
    this.lots.remove(lot)
    say(sentence('lijst-verwijderd', { naam: lot.name || sentence('lijst-zonder-naam') }))
    this.#choose(this.lots.current)
  }

  /** Which lists there are, and what can be done. */
  #frame() {
    const { all, open, current } = this.lots
    this.lots.show(this.#busy)
    $('lijst').hidden = !current.rows.length
    $('lijst-acties').hidden = this.#busy || !open.length
    $('invoer').hidden = this.#busy || (!open.length && all.some((lot) => !lot.isOpen))
    $('nieuw').hidden = this.#busy || !all.some((lot) => !lot.isOpen)
    $('leveren').disabled = !open.length
    $('leveren').textContent = sentence(open.length > 1 ? 'lever-alle' : 'lever', { aantal: number(open.length) })
    $('lijst-kop').textContent = current.name ? sentence('lijst-van', { naam: current.name }) : sentence('uw-regels')
    root.dataset.open = open.length
  }

  /** The open list as it is, ready to be worked on. */
  #listed() {
    const { kind } = this.lots.current
    const acts = { kind, edit: (place) => this.#edit(place), editable: (state) => state === 'fout' }
    if (kind === 'score') Object.assign(acts, { editable: () => true, remove: (place) => this.#remove(place) })
    this.table.reset(acts)
    for (const id of ['telling', 'opnieuw', 'voortgang', 'al-bekend']) $(id).hidden = true
    $('wacht').replaceChildren()
    this.#show()
  }

  #show() {
    const { rows } = this.lots.current
    this.table.show(rows, rows.map((row) => unsent(row, this.desk.rules.messages)))
    this.#frame()
    root.dataset.stand = rows.length ? 'lijst' : 'leeg'
  }

  /** A list that was delivered. */
  #shown() {
    this.sent.show(this.lots.current.delivery, true)
    this.#frame()
  }

  /** An empty list, ready for other rows. */
  #new() {
    if (this.#busy) return
    this.lots.clear()
    this.#listed()
    alarm('')
    $('geweigerd').replaceChildren()
    say(sentence('lijst-leeg'))
    $('invullen').elements.bsn.focus()
  }

  async #edit(place) {
    const { current } = this.lots, row = current.rows[place]
    const changed = await edit(current.kind, row, this.table.states[place].melding)
    if (!changed) return
    this.lots.replace(place, changed)
    this.#show()
    const still = current.rows.find((one) => one.regel === row.regel)?.code
    say(sentence(still ? 'nog-fout' : 'verbeterd', { nr: row.regel }))
  }

  #remove(place) {
    const { regel } = this.lots.current.rows[place]
    this.lots.replace(place, [])
    this.#show()
    say(sentence('verwijderd', { nr: regel }))
    $('getoond').focus()
  }

  #again(kind, rows) {
    this.#deliver([this.lots.addCorrected(kind, rows)])
  }

  /** One list after the other; what goes wrong with one leaves the others as they are. */
  async #deliver(lots) {
    if (this.#busy || !lots.length) return
    this.#busy = true
    alarm('')
    $('geweigerd').replaceChildren()
    this.#frame()
    $('stand').focus() // the button that had the focus is gone
    for (const lot of lots) if (!(await this.#one(lot))) break
    this.#busy = false
    this.#frame()
  }

  /** @returns {Promise<boolean>} whether it came through */
  async #one(lot) {
    this.lots.current = lot
    this.#frame()
    for (const id of ['opnieuw', 'al-bekend']) $(id).hidden = true
    const tell = (word, delivery) => {
      progress(root, word)
      if (!delivery) return
      const fresh = delivery !== lot.delivery
      lot.delivery = delivery
      this.sent.show(delivery, fresh)
      this.lots.update(lot)
    }
    try {
      const { kind, rows, name } = lot
      await this.desk.delivering(tell).deliver({ kind, rows, name, test: $('proef').checked })
      return true
    } catch (error) {
      // What the intake does not have yet is a list still: sent again it is the same delivery.
      if (!['sent', 'final'].includes(lot.delivery?.state)) {
        lot.delivery = null
        this.#listed()
      }
      failed(root, error, this.desk.rules.messages)
      return false
    }
  }
}

/** A name for the screen: a number of nine digits in it may be that of somebody. @param {string} name */
const shownName = (name) => name.replace(/[0-9]{9}/g, masked)

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
