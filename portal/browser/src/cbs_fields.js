// The fields of a CBS record: codes, dates, places and outcomes, as connectors/formats/cbs/fields.py reads them.
import { dayNumber, whole } from './numbers.js'
import { reader } from './text.js'

const DAY_MS = 86_400_000
const DIGITS = /^[0-9]+$/, EIGHT = /^[0-9]{8}$/, UNKNOWN = '00000000'
const OUTCOMES = [['nut', 10], ['zonder_hulp', 4]], WHO = ['jeugdige', 'ouder']

/** A line is refused: code and field. */
export class Fault extends Error {
  constructor(code, veld) {
    super(code)
    Object.assign(this, { code, veld })
  }
}

const civil = (day) => {
  const at = new Date(day * DAY_MS)
  return [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()]
}

/** The half year of a day and the one before: only these are processed. */
export function halfYears(today) {
  const [year, month] = civil(today)
  return month > 6 ? [`${year}-2`, `${year}-1`] : [`${year}-1`, `${year - 1}-2`]
}

/** First and last day of a half year such as ``2026-1``. */
export function bounds(periode) {
  const year = Number(periode.slice(0, 4))
  return periode.endsWith('-1')
    ? [dayNumber(year, 1, 1), dayNumber(year, 6, 30)]
    : [dayNumber(year, 7, 1), dayNumber(year, 12, 31)]
}

const dayOf = (text) =>
  EIGHT.test(text) ? dayNumber(Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6))) : null

/** What reads the fields of a line. @param {import('./checks.js').Rules} rules @param {object} layout @param {number} today */
export function fieldReader(rules, layout, today) {
  const { cbs } = rules, { strip } = reader(rules), postcode = whole(cbs.postcode), known = new Set(cbs.unanswered)
  const of = (texts, veld) => texts[veld] ?? ''
  const gemeenteOf = (digits) =>
    layout.gemeenten.find(([, ranges]) => ranges.some(([first, last]) => first <= digits && digits <= last))?.[0] ?? ''

  /** Day number of JJJJMMDD, not in the future. */
  const day = (text, veld) => {
    const found = dayOf(text)
    if (found === null || found > today || civil(found)[0] < 1900) throw new Fault('G06', veld)
    return found
  }

  /** Completed years on a day, and whether they are of a partial date: JJJJMM00 or JJJJ0000. */
  const leeftijd = (text, onDay, unborn) => {
    if (text === UNKNOWN || text === `${UNKNOWN}0`) return unborn ? [0, true] : [null, false]
    let whole_ = text
    if (text.length === 8 && text.endsWith('0000')) whole_ = `${text.slice(0, 4)}0101`
    else if (text.length === 8 && text.endsWith('00')) whole_ = `${text.slice(0, 6)}01`
    const found = dayOf(whole_)
    if (found === null || (found > today && !unborn)) throw new Fault('G02', 'geboortedatum')
    const [year, month, date] = civil(found), [onYear, onMonth, onDate] = civil(onDay)
    const before = !text.endsWith('0000') && (onMonth < month || (onMonth === month && onDate < date))
    const years = Math.max(0, onYear - year - (before ? 1 : 0))
    if (years > cbs.bounds.years_old) throw new Fault('G02', 'geboortedatum')
    return [years, whole_ !== text]
  }

  const geslacht = (text) => {
    const letter = text.toUpperCase()
    if (!Object.hasOwn(cbs.geslacht, letter)) throw new Fault('G03', 'geslacht')
    return cbs.geslacht[letter]
  }

  /** Municipality (empty = none of the layout's) and the postcode or code as it stands in the fallback key. */
  const gemeente = (text) => {
    const found = postcode.exec(text.toUpperCase())
    if (found) return [gemeenteOf(Number(found[1])), found[1] + found[2]]
    if (!DIGITS.test(text) || text.length > 4) throw new Fault('G04', 'postcode')
    const code = text.padStart(4, '0')
    const current = Object.hasOwn(cbs.old_codes, code) ? cbs.old_codes[code] : code
    return [layout.gemeenten.some(([one]) => one === current) ? code : '', code]
  }

  /** A code of two digits; a spreadsheet may have lost its leading zero. */
  const code = (texts, veld) => {
    const text = of(texts, veld), found = text && text.padStart(2, '0')
    if (!cbs.codes[veld].includes(found)) throw new Fault('G05', veld)
    return found
  }

  const integer = (texts, veld, highest) => {
    const text = of(texts, veld)
    if (known.has(strip(text).toLowerCase())) return null
    const number = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0
    if (number < 1 || number > highest) throw new Fault('G08', veld)
    return number
  }

  /** Outcomes of the youth and of the parent by field of the fact; at most one meting of each. */
  const outcomes = (texts) => {
    const found = {}
    for (const [name, highest] of OUTCOMES) {
      for (const who of WHO) found[`${name}_${who}`] = integer(texts, `${name}_${who}`, highest)
    }
    for (const number of [1, 2]) {
      const [nut, zonderHulp] = OUTCOMES.map(([name, highest]) => integer(texts, `${name}_${number}`, highest))
      if (nut === null && zonderHulp === null) continue
      const told = of(texts, `informant_${number}`), who = Object.hasOwn(layout.informanten, told) ? layout.informanten[told] : ''
      if (!who || found[`nut_${who}`] !== null || found[`zonder_hulp_${who}`] !== null) throw new Fault('G11', `informant_${number}`)
      Object.assign(found, { [`nut_${who}`]: nut, [`zonder_hulp_${who}`]: zonderHulp })
    }
    return found
  }

  /** The key of a client without BSN: sex, birth date, postcode, first day, form of help, and the number of a twin. */
  const fallback = (texts, place, hulpvorm) => {
    const twin = of(texts, 'meerling')
    if (twin && !/^[0-9]{1,2}$/.test(twin)) throw new Fault('G05', 'meerling')
    const parts = [texts.geslacht.toUpperCase(), texts.geboortedatum.slice(0, 8), place, texts.begindatum, hulpvorm]
    return [...parts, ...(Number(twin) > 1 ? [`m${Number(twin)}`] : [])].join('|')
  }

  return { day, leeftijd, geslacht, gemeente, code, outcomes, fallback }
}
