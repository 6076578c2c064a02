// What both pages of delivering share: rules, keys, journal and intake of this browser, and how faults are told.
import { Delivering } from './delivering.js'
import { $, alarm, element, moment, sentence } from './dom.js'
import { identity, Unsupported } from './identity.js'
import { Intake, Refused } from './intake.js'
import { Journal } from './journal.js'
import { check } from './kinds.js'
import { dutchDay } from './numbers.js'
import { Portal, PortalFault } from './portal.js'
import { MESSAGES } from './readers.js'
import { openStore } from './store.js'
import { FileFault } from './text.js'
import { Workshop } from './workshop.js'

/** A clock that differs so much is told: nothing goes wrong by it, but it may in other programs. */
const CLOCK_MS = 300_000

export class Desk {
  /** @param {HTMLElement} root with the addresses as data attributes */
  static async open(root) {
    const desk = new Desk()
    const csrf = document.querySelector('[name="csrfmiddlewaretoken"]')?.value ?? ''
    const { publiek, certificaat, toegang, regels } = root.dataset
    desk.portal = new Portal({ publiek, certificaat, toegang, csrf, pagina: location.pathname })
    const [rules, keys, store] = await Promise.all([rulesOf(regels), desk.portal.publicKeys(), openStore()])
    desk.sender = keys.sender
    desk.layout = keys.cbs ?? null
    desk.rules = rules
    desk.store = store
    desk.identity = await identity(store, keys.sender)
    desk.journal = new Journal(store, keys.sender, desk.identity.journal)
    desk.workshop = new Workshop()
    desk.intake = new Intake(keys.intake, (anew) => desk.portal.token(anew), { waits: desk.#waits })
    desk.#notes()
    return desk
  }

  /** What rows are checked by: rules, sender, and the Dutch day of now. */
  get context() {
    return { rules: this.rules, sender: this.sender, today: dutchDay(this.portal.now()) }
  }

  /** Checked rows of cells of a kind; what was not to be split stays so. @param {import('./kinds.js').Entry[]} rows */
  check(kind, rows) {
    return check(kind, this.context, rows)
  }

  /** The half year of today and the one before, where this portal takes files of CBS. @returns {string[]} */
  periods() {
    if (!this.layout) return []
    const at = new Date(this.context.today * 86_400_000), year = at.getUTCFullYear()
    return at.getUTCMonth() > 5 ? [`${year}-2`, `${year}-1`] : [`${year}-1`, `${year - 1}-2`]
  }

  /** @param {(word: object, delivery: object | null) => void} tell */
  delivering(tell) {
    const { portal, intake, journal, sender, workshop } = this
    const seal = (job, progress) => workshop.seal(job, progress)
    return new Delivering({ portal, intake, journal, sender, seal, identity: this.identity, facts: this.rules.facts }, tell)
  }

  /** Deliveries of this browser that were not done yet go on; one after the other. @param {Function} tell */
  async resume(tell) {
    for (const delivery of await this.journal.all()) {
      if (!['sending', 'sent'].includes(delivery.state)) continue
      await this.delivering(tell).resume(delivery, (rows) => this.check('score', rows))
    }
  }

  #waits(ms) {
    const place = $('wachten')
    place.textContent = ms ? sentence('wacht-op-intake', { seconden: Math.round(ms / 1000) }) : ''
  }

  #notes() {
    const notes = []
    if (!this.store.lasting) notes.push(sentence('geen-opslag'))
    if (Math.abs(this.portal.ahead) > CLOCK_MS) notes.push(sentence('klok', { tijd: moment(this.portal.now()) }))
    $('opmerkingen').replaceChildren(...notes.map((text) => element('p', { className: 'utrecht-paragraph' }, text)))
  }
}

async function rulesOf(address) {
  const answer = await fetch(address, { cache: 'no-cache' }).catch(() => null)
  if (!answer?.ok) throw new PortalFault('portaal-weg')
  return answer.json()
}

/** The sentence of a fault for people. @param {unknown} error @param {Object<string, string>} messages of rules.json */
export function toldOf(error, messages = {}) {
  if (error instanceof FileFault) return toldOfFinding(error, messages, error.kind)
  if (error instanceof Refused) return error.detail || sentence('intake-weigert', { status: error.status })
  if (error instanceof Unsupported || error instanceof PortalFault) return sentence(error.what)
  return sentence('onverwacht')
}

/** Faults of the form of a message, which stand at a line; every other one is of an element of it. */
const OF_LINES = ['XSD', 'B25']

/** One thing that is wrong in a file. @param {{code: string, row: number, veld: string}} found @param {string} kind of it */
export function toldOfFinding({ code, row, veld }, messages, kind = '') {
  const place = MESSAGES.includes(kind) && !OF_LINES.includes(code) ? 'onderdeel' : 'regel'
  const where = row ? `${sentence(place, { nr: row })}: ` : ''
  return `${where}${messages[code] ?? ''} (${[code, veld].filter(Boolean).join(', ')})`
}

/** Run something of a page; what goes wrong is told. */
export async function attempt(messages, work) {
  try {
    await work()
  } catch (error) {
    alarm(toldOf(error, messages))
    $('stand').textContent = ''
  }
}
