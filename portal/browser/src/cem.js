// CEM+ files, as connectors/formats/cem.py reads them: one row, one answer; the rows of a meting make one record.
import { accepted, refused } from './readers.js'
import { elfproef, whole, writtenDay } from './numbers.js'
import { decode, FileFault, fold, reader } from './text.js'

/**
 * A row of the file, so that a meting can be put right and read anew: its number, and its cells in the order of
 * ``rules.cem.core`` with the municipality behind them where the file has one. A row of another form has two cells:
 * the meting that it may be of, and the row as it stands.
 * @typedef {[number, string[]]} Entry
 */

const ANSWER = 'antwoord', MISSHAPEN = 2
const DIGITS = /^[0-9]+$/

/** The rows of a text. @param {import('./checks.js').Rules} rules @param {string} text @returns {Entry[]} @throws {FileFault} */
export function entries(rules, text) {
  const read = reader(rules), { columns, core, needed } = rules.cem
  const found = []
  let header = null, places = []
  for (const row of read.rows(text, columns, needed)) {
    if (!header) {
      header = row
      places = [...core, 'gemeente'].filter((name) => Object.hasOwn(header.places, name)).map((name) => header.places[name])
      continue
    }
    found.push([row.number, cellsOf(rules, read, header, places, row)])
  }
  return found
}

function cellsOf(rules, read, header, places, { number, cells, closed, line }) {
  if (cells?.length !== header.width) {
    if (!closed) throw new FileFault('B03', number)
    const meting = cells?.[header.places.meting_id]
    return [meting === undefined ? '' : read.strip(meting), line]
  }
  const told = places.map((place) => read.strip(cells[place]))
  const question = told[rules.cem.core.indexOf('vraag')].toUpperCase()
  if (!closed && !endsWhole(rules, header, read.strip(cells.at(-1)), question)) throw new FileFault('B03', number)
  return told
}

/** Whether the last cell of a last row without an end cannot be the beginning of something longer. */
function endsWhole(rules, { places, width }, cell, question) {
  const last = Object.keys(places).find((name) => places[name] === width - 1) ?? ''
  if (last === ANSWER && DIGITS.test(cell)) {
    const known = own(rules.cem.questions, question)
    return known === undefined || Number(cell) * 10 > known[1]
  }
  if (last === ANSWER && cell && isUnanswered(rules, cell)) return fold(cell) !== 'n.v.t'
  if (last === 'datum_meting') return writtenDay(rules, cell) !== null
  return [...cell].length >= ({ zorgaanbieder_id: 8, bsn: 9, gemeente: 4 }[last] ?? Infinity)
}

const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined)
const isUnanswered = (rules, answer) => rules.cem.unanswered.includes(fold(answer))

/**
 * The records of rows: as many passes as it takes to know which metingen are scattered.
 * @returns {import('./readers.js').FileRecord[]}
 */
export function metingen(rules, rows, context) {
  const scattered = new Set()
  for (;;) {
    const before = scattered.size, table = new Table(rules, context, scattered)
    for (const row of rows) table.row(row)
    const { records, outside } = table.end()
    if (scattered.size > before) continue
    context.tally.outside += outside
    return records
  }
}

/** The rows of one meting so far; the first thing that is wrong with any of them refuses it. */
class Group {
  constructor(regel, header, fault) {
    Object.assign(this, { first: regel, header, fault, place: regel, question: '', outside: false, lines: [] })
    this.answers = {}
    this.asked = new Set()
  }

  wrong(regel, code, veld, question = '') {
    if (!this.fault) Object.assign(this, { fault: [code, veld], place: regel, question })
  }
}

class Table {
  #open = new Map()
  #closed = new Set()
  #records = []
  #outside = 0

  constructor(rules, { sender, today }, scattered) {
    Object.assign(this, { rules, cem: rules.cem, sender, today, scattered })
    this.isNumber = elfproef(rules)
    this.patterns = { pseudonym: whole(rules.patterns.pseudonym), informant: whole(rules.cem.informant), agb: whole(rules.patterns.agb) }
    this.which = new RegExp(rules.cem.which, 'u')
    this.questionnaires = new Map(rules.cem.vragenlijsten.map((code) => [fold(code), code]))
  }

  row(entry) {
    const [regel, cells] = entry
    if (cells.length === MISSHAPEN) {
      this.#misshapen(entry)
      return
    }
    const [provider, bsn, meting, ...rest] = cells
    const [when, informant, questionnaire, asked, answer, gemeente] = rest
    const outside = gemeente !== undefined && !this.#passes(gemeente)
    const header = [provider, bsn, when, informant, questionnaire]
    if (!meting || [...meting].length > this.cem.meting_id) {
      if (outside) this.#outside += 1
      else this.#add(refused(regel, 1, shown(meting, header), 'C09', 'meting_id'), [entry])
      return
    }
    const group = this.#group(meting, regel, header)
    group.outside ||= outside
    this.#answer(group, entry, header, asked.toUpperCase(), answer)
  }

  #group(meting, regel, header) {
    const there = this.#open.get(meting)
    if (there) {
      this.#open.delete(meting) // the last used one stands last
      this.#open.set(meting, there)
      return there
    }
    while (this.#open.size >= this.cem.open) this.#close(this.#open.keys().next().value)
    const made = new Group(regel, header, this.#isScattered(meting) ? ['C07', 'meting_id'] : null)
    this.#open.set(meting, made)
    return made
  }

  #passes(gemeente) {
    const code = DIGITS.test(gemeente) ? gemeente.padStart(4, '0') : own(this.cem.names, fold(gemeente)) ?? ''
    return this.cem.gemeenten.includes(own(this.cem.old_codes, code) ?? code)
  }

  #misshapen(entry) {
    const [regel, [meting]] = entry, group = this.#open.get(meting)
    if (!group) {
      this.#add(refused(regel, 1, shown(meting, ['', '', '', '', '']), 'C10', ''), [entry])
      return
    }
    group.lines.push(entry)
    group.wrong(regel, 'C10', '')
  }

  /** A meting that was closed before, or that an earlier pass found to come back. */
  #isScattered(meting) {
    if (this.#closed.has(meting)) this.scattered.add(meting)
    return this.scattered.has(meting)
  }

  #answer(group, entry, header, question, answer) {
    const [regel] = entry, known = own(this.cem.questions, question)
    group.lines.push(entry)
    if (group.fault) return
    const other = this.#other(header, group.header)
    if (other) {
      group.wrong(regel, 'C07', other)
      return
    }
    if (!known) group.wrong(regel, 'C04', 'vraag')
    else if (group.asked.has(question)) group.wrong(regel, 'C06', 'vraag', question)
    else if (!isUnanswered(this.rules, answer)) {
      const right = DIGITS.test(answer) && answer.length <= 4 && Number(answer) >= known[0] && Number(answer) <= known[1]
      if (right) group.answers[question] = Number(answer)
      else group.wrong(regel, 'C05', ANSWER, question)
    }
    group.asked.add(known ? question : '')
  }

  /** The field in which a row is of another meting than the first; one day may be written in two ways. */
  #other(header, first) {
    const names = ['zorgaanbieder_id', 'bsn', 'datum_meting', 'informant', 'vragenlijst']
    return names.find((name, place) => {
      if (header[place] === first[place]) return false
      const day = name === 'datum_meting' ? writtenDay(this.rules, header[place]) : null
      return day === null || day !== writtenDay(this.rules, first[place])
    })
  }

  #close(meting) {
    const group = this.#open.get(meting)
    this.#open.delete(meting)
    this.#closed.add(meting)
    if (group.outside) {
      this.#outside += 1
      return
    }
    const cells = shown(meting, group.header, group.question), many = group.lines.length
    const wrong = group.fault ?? this.#wrong(group)
    const regel = group.fault ? group.place : group.first
    const record = wrong
      ? refused(regel, many, cells, ...wrong)
      : accepted(regel, many, cells, group.header[1], this.#fact(meting, group))
    this.#add(record, group.lines)
  }

  #wrong({ header: [provider, bsn, when, informant, questionnaire], answers }) {
    if (!this.patterns.agb.test(provider)) return ['C08', 'zorgaanbieder_id']
    if (provider !== this.sender) return ['C11', 'zorgaanbieder_id']
    if (!this.isNumber(bsn)) return [this.patterns.pseudonym.test(bsn) ? 'C14' : 'C01', 'bsn']
    const day = writtenDay(this.rules, when)
    if (day === null || day > this.today) return ['C02', 'datum_meting']
    if (!Object.keys(answers).length) return ['C13', ANSWER]
    if (!this.questionnaires.has(fold(questionnaire))) return ['C03', 'vragenlijst']
    if (day < this.cem.first_day) return ['C02', 'datum_meting']
    return this.patterns.informant.test(this.#informant(informant)) ? null : ['C12', 'informant']
  }

  #informant(text) {
    return text.replace(this.which, '')
  }

  #fact(meting, { header: [, , when, informant, questionnaire], answers }) {
    return {
      soort: 'Meting', meting, vragenlijst: this.questionnaires.get(fold(questionnaire)), informant: this.#informant(informant),
      datum: writtenDay(this.rules, when), antwoorden: answers,
    }
  }

  /** With the rows that it is made of: who puts it right changes them. */
  #add(record, lines) {
    this.#records.push({ ...record, lines })
  }

  end() {
    const left = [...this.#open].sort(([, a], [, b]) => a.first - b.first)
    for (const [meting] of left) this.#close(meting)
    return { records: this.#records, outside: this.#outside }
  }
}

const shown = (meting, [, bsn, when, informant, questionnaire], question = '') => [bsn, meting, when, questionnaire, informant, question]

/** Whether a meting can be put right here: not where its rows contradict each other or have another form. */
export const isEditable = ({ code, lines }) => code !== 'C07' && lines.every(([, cells]) => cells.length > MISSHAPEN)

/** @type {(raw: Uint8Array, context: import('./readers.js').Context) => import('./readers.js').FileRecord[]} */
export const read = (raw, context) => metingen(context.rules, entries(context.rules, decode(raw)), context)
