// The page of deliveries: those of this browser with their rows, those of others by their counts; search, correct, take back.
import { attempt, Desk } from './desk.js'
import { $, alarm, element, moment, number, say, sentence } from './dom.js'
import { holds } from './journal.js'
import { RowTable } from './row-table.js'
import { failed, progress, SentView, toldCounts } from './sent.js'

const root = $('aanleveringen')

/** What both sides know of a delivery. @typedef {{own: object | null, told: object | null, id: string}} Known */

class Page {
  /** @type {Known[]} */
  #known = []
  #after = ''

  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk
    this.sent = new SentView(desk, new RowTable(desk.rules), (kind, rows) => this.#try(() => this.#correct(kind, rows)))
    const reasons = desk.rules.takeback.reasons.map((reason) => element('option', { value: reason }, reason || sentence('geen-reden')))
    $('terug-reden').replaceChildren(...reasons)
    $('zoeken').addEventListener('submit', (event) => {
      event.preventDefault()
      this.#list(true)
    })
    $('status-kiezen').addEventListener('change', () => this.#list(true))
    $('meer').addEventListener('click', () => this.#try(() => this.#more()))
    $('dagboek-legen').addEventListener('click', () => this.#try(() => this.#empty()))
    $('sluiten').addEventListener('click', () => this.#close())
  }

  #try(work) {
    alarm('')
    return attempt(this.desk.rules.messages, work)
  }

  /** Everything anew: the journal first, so that something stands there when the intake does not answer. */
  async load() {
    const own = await this.desk.journal.all()
    this.#known = own.map((one) => ({ id: one.id, own: one, told: one.receipt }))
    this.#list()
    this.#after = ''
    await this.#more()
  }

  async #more() {
    const { aanleveringen, volgende } = await this.desk.intake.deliveries(this.#after)
    for (const told of aanleveringen) {
      const there = this.#known.find((one) => one.id === told.aanlevering)
      if (there) there.told = { ...there.own?.receipt, ...told }
      else this.#known.push({ id: told.aanlevering, own: null, told })
    }
    this.#after = volgende ?? ''
    $('meer').hidden = !volgende
    const at = (one) => Math.max(one.own?.at ?? 0, Date.parse(one.told?.tijd ?? '') || 0)
    this.#known.sort((a, b) => at(b) - at(a))
    this.#list()
  }

  #status({ own, told }) {
    if (own?.receipt?.teruggenomen || told?.teruggenomen) return 'teruggenomen'
    if (own && ['sending', 'refused'].includes(own.state) && !told) return own.state === 'sending' ? 'onderweg' : 'geweigerd'
    return told?.status ?? 'ontvangen'
  }

  #list(speak = false) {
    const wanted = $('zoek-bsn').value.trim(), status = $('status-kiezen').value
    const shown = this.#known.filter((one) =>
      (!status || this.#status(one) === status) && (!wanted || one.own?.rows.some(([, cells]) => holds(cells, wanted))))
    $('lijst-aanleveringen').tBodies[0].replaceChildren(...shown.map((one) => this.#row(one)))
    const others = this.#known.filter((one) => !one.own).length
    $('andere-browser').hidden = !(wanted && others)
    root.dataset.aantal = shown.length
    if (speak) say(sentence('gevonden', { aantal: number(shown.length) }))
  }

  #row(one) {
    const { own, told, id } = one, lines = own?.lines ?? told.records
    const head = (name) => ({ head: sentence(`kop-${name}`) })
    const cell = (name, ...content) => element('td', { className: 'utrecht-table__cell', data: head(name) }, ...content)
    const kind = sentence(`soort-${own?.kind ?? told.soort}`) + ((own?.test ?? told.test) ? ` (${sentence('proef')})` : '')
    const status = this.#status(one)
    return element(
      'tr', { className: 'utrecht-table__row', data: { aanlevering: id, status } },
      cell('moment', moment(own?.at ?? told.tijd)), cell('soort', kind), cell('regels', number(lines)),
      cell('goed', number(told?.geaccepteerd ?? 0)), cell('fout', number(told?.afgekeurd ?? 0)),
      cell('status', sentence(`aanlevering-${status}`)), cell('bewaard', sentence(own ? 'hier' : 'elders')),
      cell('actie', element('div', {}, ...this.#actions(one, lines))),
    )
  }

  #actions(one, lines) {
    const when = moment(one.own?.at ?? one.told.tijd)
    const button = (name, act) =>
      element('button', { type: 'button', className: 'utrecht-button utrecht-button--subtle', onclick: () => this.#try(act),
        ariaLabel: sentence(`${name}-aanlevering`, { moment: when }) }, sentence(name))
    const kind = one.own?.kind ?? one.told.soort
    const made = kind === 'takeback' ? [] : [button('bekijk', () => this.#open(one))]
    if (kind !== 'takeback' && one.told && this.#status(one) !== 'teruggenomen') made.push(button('terugnemen', () => this.#takeBack(one, lines)))
    return made
  }

  /** The rows of a delivery of this browser; of another what the receipt says, and why there is no more. */
  async #open(one) {
    const { own, told } = one
    $('aanlevering').hidden = false
    $('van-elders').hidden = own !== null
    $('van-hier').hidden = own === null
    $('aanlevering-kop').textContent = sentence('aanlevering-van', { moment: moment(own?.at ?? told.tijd) })
    $('aanlevering-kop').focus()
    if (!own) {
      await this.#elsewhere(one)
      return
    }
    this.sent.show(own, true)
    const wanted = $('zoek-bsn').value.trim()
    if (wanted) {
      $('zoek-regel').value = wanted
      this.sent.show(own)
    }
    if (own.state !== 'sent' && own.state !== 'final') return
    const delivering = this.desk.delivering((word, delivery) => word.receipt && this.sent.delivery === delivery && this.sent.show(delivery))
    await delivering.follow(own)
  }

  /** Counts, and of what was refused the row numbers: nothing else of the rows is anywhere but in that browser. */
  async #elsewhere(one) {
    $('elders-fouten').replaceChildren()
    $('elders-stand').textContent = ''
    const receipt = await this.desk.intake.receipt({ id: one.id, lines: one.told.records, sender: this.desk.sender })
    Object.assign(one.told, receipt)
    const said = sentence(receipt.teruggenomen ? 'elders-terug' : 'elders-telling', toldCounts(receipt))
    $('elders-stand').textContent = said
    const faults = receipt.fouten.map(({ regel, code, veld, melding }) =>
      element('li', {}, `${sentence('regel', { nr: number(regel) })}: ${melding} (${[code, veld].filter(Boolean).join(', ')})`))
    $('elders-fouten').replaceChildren(...faults)
    this.#list()
  }

  #close() {
    $('aanlevering').hidden = true
    $('zoek-bsn').focus()
  }

  async #correct(kind, rows) {
    await this.#deliver({ kind, rows: this.desk.check(kind, rows), test: this.sent.delivery.test })
  }

  async #takeBack(one, lines) {
    const dialog = $('terug')
    dialog.returnValue = ''
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
    if (dialog.returnValue !== 'terug') return
    const back = { aanlevering: one.id, lines, reden: $('terug-reden').value }
    if (!(await this.#deliver({ kind: 'takeback', back, test: one.own?.test ?? one.told.test }))) return
    const teruggenomen = new Date(this.desk.portal.now()).toISOString()
    if (one.own?.receipt) {
      Object.assign(one.own.receipt, { teruggenomen })
      await this.desk.journal.save(one.own)
    }
    await this.load()
    const again = this.#known.find(({ id }) => id === one.id)
    if (again?.told) again.told.teruggenomen = teruggenomen
    this.#list()
    say(this.desk.rules.takeback.done)
  }

  async #deliver(what) {
    let shown = null
    const tell = (word, delivery) => {
      progress(root, word)
      if (!delivery || what.back) return
      this.sent.show(delivery, delivery !== shown)
      shown = delivery
    }
    try {
      await this.desk.delivering(tell).deliver(what)
    } catch (error) {
      failed(root, error, this.desk.rules.messages)
      return false
    }
    if (!what.back) await this.load()
    return true
  }

  async #empty() {
    const dialog = $('legen')
    dialog.returnValue = ''
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
    if (dialog.returnValue !== 'legen') return
    await this.desk.journal.empty()
    $('aanlevering').hidden = true
    await this.load()
    say(sentence('geleegd'))
  }
}

await attempt({}, async () => {
  const desk = await Desk.open(root)
  const page = new Page(desk)
  root.dataset.klaar = 'ja'
  await page.load()
  let resumed = false
  await desk.resume((word, delivery) => { resumed ||= Boolean(delivery) })
  if (resumed) await page.load()
})
