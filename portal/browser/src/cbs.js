// CBS-structured files (Almere) as connectors/formats/cbs reads them: one line, one period of one form of help.
//
// Lines with one key (client, first day, form of help) are one record. A client without a BSN has the key of CBS
// instead: under such a key, lines that contradict each other are twins and stay apart.
import { bounds, Fault, fieldReader, halfYears } from './cbs_fields.js'
import { encodingOf, isCsv, isFixed, lines, sheetLines } from './cbs_rows.js'
import { elfproef } from './numbers.js'
import { refused } from './readers.js'
import { FileFault } from './text.js'

const SHEET = [0x50, 0x4b, 3, 4]
const isSheet = (raw) => SHEET.every((byte, place) => raw[place] === byte)
const shown = (texts) => [texts.bsn, texts.begindatum, texts.hulpvorm]

/** Reads the lines of one file. */
class Table {
  /** In the order of the lines: what is refused, and what is right. */
  #made = []
  #groups = new Map()
  #held = 0

  /** @param {import('./readers.js').Context} context */
  constructor(context) {
    const { rules, layout, today, periode } = context
    Object.assign(this, { context, cbs: rules.cbs, specials: rules.bsn.specials, fields: fieldReader(rules, layout, today) })
    this.elfproef = elfproef(rules);
    [this.first, this.last] = bounds(periode)
  }

  line(number, texts) {
    if (!texts) {
      this.#made.push(refused(number, 1, ['', '', ''], 'G10', ''))
      return
    }
    try {
      const record = this.#record(number, texts)
      if (record) this.#take(record)
      else if (this.context.tally) this.context.tally.outside += 1
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      this.#made.push(refused(number, 1, shown(texts), fault.code, fault.veld))
    }
  }

  #take(record) {
    const { bsn, fallback, fact } = record, key = `${bsn || fallback}|${fact.begindatum}|${fact.hulpvorm}`
    const group = this.#groups.get(key)
    this.#made.push(Object.assign(record, { key }))
    if (!group) {
      this.#groups.set(key, [record])
      return
    }
    group.push(record)
    this.#held += 1
    if (this.#held > this.cbs.bounds.equal) throw new FileFault('B19', record.regel)
  }

  /** Lines that are alone and refusals as they came, then what was made of lines with one key. */
  end() {
    const isHeld = (record) => record.key !== undefined && this.#groups.get(record.key).length > 1
    const held = this.#made.filter(isHeld), most = this.cbs.bounds.equal
    if (held.length > most) throw new FileFault('B19', held[most].regel)
    const groups = [...this.#groups.values()].filter((group) => group.length > 1)
    const merged = groups.flatMap((group) => together(group, this.cbs.of_both)).sort((a, b) => a.regel - b.regel)
    return [...this.#made.filter((record) => !isHeld(record)), ...merged].map(({ key: _, ...record }) => record)
  }

  #record(number, texts) {
    const [gemeente, postcode] = this.fields.gemeente(texts.postcode)
    if (!gemeente) return null
    const { bsn } = texts, special = this.specials.includes(bsn)
    if (!special && !this.elfproef(bsn)) throw new Fault('G01', 'BSN')
    const fact = this.#fact(texts, gemeente, bsn === this.cbs.unborn)
    const fallback = special ? this.fields.fallback(texts, postcode, fact.hulpvorm) : ''
    return { regel: number, regels: 1, cells: shown(texts), code: '', veld: '', bsn: fallback ? '' : bsn, fallback, fact }
  }

  #fact(texts, gemeente, unborn) {
    const { fields } = this
    const begin = fields.day(texts.begindatum, 'datum aanvang')
    const end = texts.einddatum ? fields.day(texts.einddatum, 'datum einde') : null
    if (end !== null && end < begin) throw new Fault('G06', 'datum einde')
    const reden = fields.code(texts, 'reden')
    if ((end === null) !== !reden) throw new Fault('G07', 'reden')
    if (begin > this.last || (end !== null && end < this.first)) throw new Fault('G09', begin > this.last ? 'datum aanvang' : 'datum einde')
    const [years, roughly] = fields.leeftijd(texts.geboortedatum, begin, unborn)
    return {
      soort: 'CbsRecord', gemeente, hulpvorm: fields.code(texts, 'hulpvorm'), verwijzer: fields.code(texts, 'verwijzer'),
      crisis: fields.code(texts, 'crisis'), begindatum: begin, einddatum: end, reden, geslacht: fields.geslacht(texts.geslacht),
      leeftijd: years, leeftijd_benaderd: roughly, ...fields.outcomes(texts), periode: this.context.periode, postcodegebied: '',
    }
  }
}

const says = (value) => value !== null && value !== ''

/** The records of lines with one key, in order of the lines. */
function together(group, names) {
  const children = []
  for (const record of group) {
    const child = children.find((one) => one.bsn || !contradict(one.fact, record.fact, names))
    if (child) {
      child.regels += 1
      child.fact = united(child.fact, record.fact, names)
    } else {
      const fallback = record.fallback && children.length ? `${record.fallback}|${children.length + 1}` : record.fallback
      children.push({ ...record, fallback })
    }
  }
  return children
}

/** Whether two lines of one fallback key cannot be about one child. */
function contradict(a, b, names) {
  if (a.einddatum !== b.einddatum || a.reden !== b.reden) return true
  return names.some((name) => says(a[name]) && says(b[name]) && a[name] !== b[name])
}

/** One record of two: it ends when the last one ends; for the rest the later line counts where it says something. */
function united(a, b, names) {
  const running = a.einddatum === null || b.einddatum === null
  const ends = !running && a.einddatum > b.einddatum ? a : b
  const later = Object.fromEntries(names.filter((name) => says(b[name])).map((name) => [name, b[name]]))
  return { ...a, einddatum: running ? null : ends.einddatum, reden: running ? '' : ends.reden, ...later }
}

/**
 * Whether a file is of this layout. @param {string} text @param {import('./checks.js').Rules} rules @param {object | null} layout
 * @returns {{kind: string, sender: string} | null}
 */
export const recognise = (text, rules, layout) =>
  layout && (isCsv(text, rules, layout) || isFixed(text, rules, layout)) ? { kind: 'cbs', sender: '' } : null

/**
 * The records of a CBS file: refused lines one by one, one record of each key.
 * @param {Uint8Array} raw @param {import('./readers.js').Context} context
 * @returns {Promise<import('./readers.js').FileRecord[]>} @throws {FileFault}
 */
export async function read(raw, context) {
  const { rules, layout, periode, today } = context, encoding = encodingOf(raw)
  if (!layout) throw new FileFault('B14')
  if (!periode) throw new FileFault('B17')
  if (!halfYears(today).includes(periode)) throw new FileFault('B18')
  if (raw.length > rules.cbs.bounds.bytes) throw new FileFault('B05')
  const table = new Table(context)
  const given = isSheet(raw) ? await sheetLines(raw, rules, layout) : lines(raw, rules, layout, encoding)
  for (const { number, texts } of given) table.line(number, texts)
  return table.end()
}
