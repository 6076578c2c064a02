// What both pages of delivering share: rules, keys, journal and intake of this browser, and how faults are told.
import { checker } from './checks.js'
import { Delivering } from './delivering.js'
import { $, alarm, element, moment, sentence } from './dom.js'
import { identity, Unsupported } from './identity.js'
import { Intake, Refused } from './intake.js'
import { Journal } from './journal.js'
import { Portal, PortalFault } from './portal.js'
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
    desk.rules = rules
    desk.store = store
    desk.identity = await identity(store, keys.sender)
    desk.journal = new Journal(store, keys.sender, desk.identity.journal)
    desk.workshop = new Workshop()
    desk.intake = new Intake(keys.intake, (anew) => desk.portal.token(anew), { waits: desk.#waits })
    desk.#notes()
    return desk
  }

  /** Checked rows of cells; what was not to be split stays so. @param {[number, string[]][]} rows */
  check(rows) {
    const check = checker(this.rules)
    return rows.map(([regel, cells]) =>
      cells.length === this.rules.columns.length ? check(regel, cells) : { regel, cells, code: 'R07', veld: '' })
  }

  /** @param {(word: object, delivery: object | null) => void} tell */
  delivering(tell) {
    const { portal, intake, journal, sender, workshop } = this
    const seal = (job, progress) => workshop.seal(job, progress)
    return new Delivering({ portal, intake, journal, sender, seal, identity: this.identity }, tell)
  }

  /** Deliveries of this browser that were not done yet go on; one after the other. @param {Function} tell */
  async resume(tell) {
    for (const delivery of await this.journal.all()) {
      if (!['sending', 'sent'].includes(delivery.state)) continue
      await this.delivering(tell).resume(delivery, (rows) => this.check(rows))
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
  if (error instanceof FileFault) {
    const where = error.row ? `${sentence('regel', { nr: error.row })}: ` : ''
    return `${where}${messages[error.code] ?? ''} (${[error.code, error.veld].filter(Boolean).join(', ')})`
  }
  if (error instanceof Refused) return error.detail || sentence('intake-weigert', { status: error.status })
  if (error instanceof Unsupported || error instanceof PortalFault) return sentence(error.what)
  return sentence('onverwacht')
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
