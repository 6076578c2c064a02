// JW305, JW307 and JW323 as connectors/formats/ijw reads them: one finding refuses a message, all of them are shown.
//
// Structure, code lists and bounds come from rules.json (portal/rules_ijw.py). Of a name or a birth date nothing is kept.
import { readMessage } from './ijw_structure.js'
import { XmlStream } from './ijw_xml.js'
import { dayNumber, elfproef, whole } from './numbers.js'
import { accepted, FileFault } from './readers.js'

const DAY_MS = 86_400_000
const NOT_FOR_US = 'B21', MALFORMED = 'B25'
/** Elements within which a message has named its sender. */
const MOST_PEEKED = 20

/** Year, month and day of a day number. */
const civil = (day) => {
  const at = new Date(day * DAY_MS)
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() }
}
const iso = (day) => {
  const { year, month, day: of } = civil(day)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(of).padStart(2, '0')}`
}
const lastOf = (year, month) => dayNumber(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - 1

/** The same day so many years before; 29 February becomes 28 February. */
function yearsEarlier(ofDay, years) {
  const { year, month, day } = civil(ofDay), before = Math.max(1, year - years)
  return dayNumber(before, month, day) ?? lastOf(before, month)
}

/** Completed years on a day from a birth date by COD170, null when unknown; and whether the birth date was partial. */
function leeftijd(born, usage, onDay) {
  if (usage === '3') return [null, false]
  const birth = civil(born), on = civil(onDay), before = on.month < birth.month || (on.month === birth.month && on.day < birth.day)
  if (usage === '2') return [Math.max(0, on.year - birth.year), true]
  return [Math.max(0, on.year - birth.year - (before ? 1 : 0)), usage === '1']
}

/** What is shared by all messages: header, findings, and the records. */
class Message {
  records = []
  findings = []
  element = 0

  /** @param {import('./readers.js').Context} context */
  constructor(context) {
    const { rules } = context
    Object.assign(this, { context, ...rules.ijw, elfproef: elfproef(rules) })
    this.unknown = dayNumber(1900, 1, 1)
  }

  find(code, veld) {
    if (this.findings.length < this.bounds.findings) this.findings.push({ code, row: this.element, veld })
  }

  header(values) {
    if (values.BerichtVersie !== 3) this.find('CS025', 'BerichtVersie')
    if (values.BerichtSubversie !== 2) this.find('CS015', 'BerichtSubversie')
    if (values.Afzender !== this.context.sender) this.find('B09', 'Afzender')
    const { Identificatie, Dagtekening } = values.BerichtIdentificatie
    Object.assign(this, { gemeente: values.Ontvanger, bericht: Identificatie, dagtekening: Dagtekening })
    if (Dagtekening > this.context.today) this.find('TR135', 'Dagtekening')
  }

  add(cells, bsn, fact) {
    if (!this.findings.length) this.records.push(accepted(this.element, 1, cells, bsn, fact))
  }

  category(category, veld) {
    if (category && !this.codes.categorie.includes(category)) this.find('JZ020', veld)
  }

  bsn(bsn) {
    if (!this.elfproef(bsn)) this.find('CS002', 'Bsn')
  }

  /** CS002, CS139, TR002 and TR134 of a client; its birth date goes no further. */
  client(client) {
    this.bsn(client.Bsn)
    const { Datum: born, DatumGebruik: use } = client.Geboortedatum, { month, day } = civil(born)
    const agrees = { 1: day === 1, 2: day === 1 && month === 1, 3: born === this.unknown }
    if (!(agrees[use] ?? true)) this.find('CS139', 'Geboortedatum')
    else if (use !== '3' && born < yearsEarlier(this.dagtekening, this.bounds.years_old)) this.find('TR002', 'Geboortedatum')
    if (born > this.dagtekening) this.find('TR134', 'Geboortedatum')
  }
}

/** JW305 and JW307: one client with starts or stops. */
class Regie extends Message {
  #keys = new Set()

  constructor(context) {
    super(context)
    this.ending = context.kind === 'stop'
    this.handlers = {
      Header: (values) => this.header(values),
      [this.ending ? 'StopProduct' : 'StartProduct']: (values, open) => this.product(values, open),
    }
  }

  product(values, { Client: client }) {
    this.element += 1
    if (this.element === 1) this.client(client)
    const { Categorie: categorie = '', Code: code = '' } = values.Product ?? {}
    const number = values.ToewijzingNummer ?? null
    const key = JSON.stringify([number, categorie, code, values.Begindatum, values.RedenBeeindiging ?? null])
    if (this.#keys.has(key)) this.find('TR101', 'ToewijzingNummer')
    this.#keys.add(key)
    this.category(categorie, 'Categorie')
    this.#content(values)
    const toewijzing = number === null ? null : String(number)
    const product = categorie || code ? `${categorie}/${code}` : ''
    const end = this.ending ? [iso(values.Einddatum), values.RedenBeeindiging] : [values.StatusAanlevering]
    const cells = [client.Bsn, toewijzing ?? '', product, iso(values.Begindatum), ...end]
    this.add(cells, client.Bsn, this.#fact(values, client, { toewijzing, categorie, code }))
  }

  /** Checks of one product. A removal is checked on its key alone (TR063). */
  #content(values) {
    const { StatusAanlevering: status, Begindatum: begin, Einddatum: end } = values
    if (!'13'.includes(status)) this.find('CS058', 'StatusAanlevering')
    if (this.ending && !this.codes.reden.includes(values.RedenBeeindiging)) this.find('JZ588', 'RedenBeeindiging')
    if (status === '3') return
    if (begin > this.dagtekening) this.find('TR134', 'Begindatum')
    if (this.ending && end < begin) this.find('TR018', 'Einddatum')
    if (this.ending && end > this.dagtekening) this.find('TR134', 'Einddatum')
  }

  #fact(values, client, product) {
    const { Datum, DatumGebruik } = client.Geboortedatum
    const [years, roughly] = leeftijd(Datum, DatumGebruik, this.ending ? values.Einddatum : values.Begindatum)
    const common = {
      gemeente: this.gemeente, ...product, begindatum: values.Begindatum, status: Number(values.StatusAanlevering),
      dagtekening: this.dagtekening, bericht: this.bericht, ingangsdatum: values.ToewijzingIngangsdatum ?? null,
      leeftijd: years, leeftijd_benaderd: roughly, geslacht: client.Geslacht,
    }
    if (!this.ending) return { soort: 'Start', ...common }
    return { soort: 'Stop', ...common, reden_beeindiging: values.RedenBeeindiging, einddatum: values.Einddatum }
  }
}

const signed = (amount, name) => (amount.DebetCredit === 'C' ? -amount[name] : amount[name])
/** Eurocent as people write it. */
const euros = (cents) =>
  `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)},${String(Math.abs(cents) % 100).padStart(2, '0')}`

/** JW323: many clients with many lines. */
class Declaration extends Message {
  #references = new Set()
  #earlier = new Set()
  #debits = new Set()
  #sum = 0
  handlers = {
    Header: (values) => this.header(values),
    Prestatie: (values, open) => this.line(values, open),
    Declaratie: (values) => this.end(values),
  }

  line(values, { Declaratie: declaration, Client: { Bsn: bsn } }) {
    this.element += 1
    if (this.element === 1) this.#period(declaration.DeclaratiePeriode)
    this.bsn(bsn)
    this.category(values.ProductCategorie, 'ProductCategorie')
    const { ProductPeriode: period, IngediendBedrag: amount } = values
    this.#dates(period, declaration.DeclaratieDagtekening)
    this.#amounts(values, amount)
    this.#referencesOf(values, period, amount.DebetCredit)
    const cells = [
      bsn, String(values.ToewijzingNummer), `${values.ProductCategorie}/${values.ProductCode}`, iso(period.Begindatum),
      iso(period.Einddatum), euros(signed(amount, 'Bedrag')),
    ]
    this.add(cells, bsn, this.#fact(values, period, amount, declaration.DeclaratieNummer))
  }

  #period({ Begindatum: first, Einddatum: last }) {
    const { year, month, day } = civil(first)
    if (day !== 1 || last !== lastOf(year, month)) this.find('CS340', 'DeclaratiePeriode')
    if (first < this.bounds.first_period) this.find('CS100', 'DeclaratiePeriode')
  }

  #dates({ Begindatum: begin, Einddatum: end }, signedOn) {
    if (end < begin || end > this.dagtekening) this.find('TR137', 'ProductPeriode')
    const first = civil(begin), last = civil(end)
    if (first.year !== last.year || first.month !== last.month) this.find('CS337', 'ProductPeriode')
    if (end < yearsEarlier(signedOn, this.bounds.years_back)) this.find('TR335', 'ProductPeriode')
  }

  #amounts(values, amount) {
    const inEuros = values.Eenheid === this.codes.euro
    if (inEuros === ('ProductTarief' in values)) this.find('CD087', 'ProductTarief')
    if (inEuros && amount.Bedrag !== values.GeleverdVolume) this.find('CS339', 'IngediendBedrag')
    this.#sum += signed(amount, 'Bedrag')
  }

  #referencesOf(values, period, debitCredit) {
    const { ReferentieNummer: reference, VorigReferentieNummer: earlier } = values.ProductReferentie
    if ((debitCredit === 'C') !== (earlier !== undefined)) this.find('CD060', 'VorigReferentieNummer')
    if (this.#references.has(reference)) this.find('TR101', 'ReferentieNummer')
    this.#references.add(reference)
    if (earlier !== undefined) {
      if (this.#earlier.has(earlier)) this.find('TR315', 'VorigReferentieNummer')
      this.#earlier.add(earlier)
    }
    if (debitCredit !== 'D') return
    const key = JSON.stringify([values.ToewijzingNummer, period.Begindatum, period.Einddatum, values.ProductCategorie, values.ProductCode])
    if (this.#debits.has(key)) this.find('TR416', 'ToewijzingNummer')
    this.#debits.add(key)
  }

  #fact(values, period, amount, number) {
    const { ReferentieNummer, VorigReferentieNummer } = values.ProductReferentie
    return {
      soort: 'Prestatie', gemeente: this.gemeente, toewijzing: String(values.ToewijzingNummer),
      categorie: values.ProductCategorie, code: values.ProductCode, referentie: ReferentieNummer,
      vorige_referentie: VorigReferentieNummer ?? null, debet_credit: amount.DebetCredit,
      begindatum: period.Begindatum, einddatum: period.Einddatum, volume: values.GeleverdVolume, eenheid: values.Eenheid,
      bedrag: amount.Bedrag, dagtekening: this.dagtekening, bericht: this.bericht, declaratienummer: number,
      tarief: values.ProductTarief ?? null,
    }
  }

  /** What needs all lines: sum, and credits of lines of this same message. */
  end({ TotaalIngediendBedrag: total }) {
    this.element = 0
    if (!total.TotaalBedrag && total.DebetCredit === 'C') this.find('CS325', 'TotaalIngediendBedrag')
    if (signed(total, 'TotaalBedrag') !== this.#sum) this.find('TR358', 'TotaalIngediendBedrag')
    if ([...this.#earlier].some((one) => this.#references.has(one))) this.find('TR316', 'VorigReferentieNummer')
  }
}

const MESSAGES = { start: Regie, stop: Regie, declaration: Declaration }

/**
 * The records of a JW305, JW307 or JW323.
 * @param {Uint8Array} raw @param {import('./readers.js').Context} context
 * @returns {import('./readers.js').FileRecord[]}
 * @throws {FileFault} when it is refused: ``found`` holds what is wrong in it
 */
export function read(raw, context) {
  const message = new MESSAGES[context.kind](context)
  readMessage(raw, context.rules, context.kind, message.handlers, () => message.element)
  const [first] = message.findings
  if (first) throw new FileFault(first.code, first.row, first.veld, message.findings)
  return message.records
}

/** Thrown where enough is known. */
class Enough extends Error {}

/** Reads as far as sender and receiver and stops. */
class Peek {
  root = ''
  named = { Afzender: '', Ontvanger: '' }
  #inside = ''
  #elements = 0

  constructor(longest) {
    this.longest = longest
  }

  start(tag) {
    this.root ||= tag
    this.#elements += 1
    this.#inside = tag.slice(tag.lastIndexOf('}') + 1)
    this.last = tag
    this.open = [...(this.open ?? []), tag]
  }

  data(text) {
    if (Object.hasOwn(this.named, this.#inside) && this.named[this.#inside].length <= this.longest) this.named[this.#inside] += text
  }

  end() {
    this.#inside = ''
    if (this.open.pop().endsWith('}Ontvanger') || this.#elements > MOST_PEEKED) throw new Enough()
  }

  startNs() {}

  pi() {}
}

/** A message by its first bytes. Unreadable ones end what is looked at. */
function peek(text, rules) {
  const found = new Peek(rules.ijw.bounds.text), cut = text.indexOf('\ufffd')
  if (text.includes('<!DOCTYPE')) return found
  const stream = new XmlStream(found)
  try {
    stream.feed(cut < 0 ? text : `${text.slice(0, cut)}\ufffe`)
    stream.close()
  } catch (error) {
    if (!(error instanceof Enough)) found.wrong = error
  }
  return found
}

/**
 * Kind and sender of a message by its first bytes; null for what is no message of iJw.
 * @param {string} text @param {import('./checks.js').Rules} rules
 * @returns {{kind: string, sender: string} | null}
 * @throws {FileFault} B21 not for the monitor, B25 not well-formed before its first element
 */
export function recognise(text, rules) {
  if (!/^[ \t-\r]*</.test(text)) return null
  const { others, root, kinds, of_gemeente: ofGemeente, agb } = rules.ijw
  const { root: tag, named, wrong } = peek(text, rules)
  if (!tag && wrong && /^[ \t\r\n]*<\?xml/.test(text)) throw new FileFault(MALFORMED, wrong.line, `kolom ${wrong.column}`)
  const other = whole(others).exec(tag)
  if (other) throw new FileFault(NOT_FOR_US, 0, other[1].toUpperCase())
  const found = whole(root).exec(tag)
  if (!found) return null
  const sender = named[ofGemeente.includes(found[1]) ? 'Ontvanger' : 'Afzender']
  return { kind: kinds[found[1]], sender: whole(agb).test(sender) ? sender : '' }
}
