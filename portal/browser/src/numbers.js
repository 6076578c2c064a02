// Numbers of persons and days, as domain/field reads them; patterns and weights come from rules.json.

/** A pattern of rules.json for a whole cell. @param {string} pattern */
export const whole = (pattern) => new RegExp(`^(?:${pattern})$`, 'u')

/** Whether a text is the number of somebody. @param {import('./checks.js').Rules} rules @returns {(number: string) => boolean} */
export function elfproef({ bsn: { weights, specials } }) {
  const nine = /^[0-9]{9}$/
  return (number) =>
    nine.test(number) && !specials.includes(number)
    && weights.reduce((sum, weight, place) => sum + weight * Number(number[place]), 0) % 11 === 0
}

const DAY_MS = 86_400_000

/** Days since 1970-01-01 of a day of the calendar, year 1 to 9999; null where there is no such day. */
export function dayNumber(year, month, day) {
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, day)
  const exists = year >= 1 && year <= 9999 && at.getUTCFullYear() === year && at.getUTCMonth() === month - 1 && at.getUTCDate() === day
  return exists ? at.getTime() / DAY_MS : null
}

/** ``YYYYMMDD`` of a day as people and their spreadsheets write it, the day first; null for anything else. */
export function writtenDigits(rules, text) {
  const found = whole(rules.patterns.written).exec(text)
  return found ? `${found[3]}${found[2].padStart(2, '0')}${found[1].padStart(2, '0')}` : null
}

/** Day number of a day as spreadsheets write it; null for anything else. */
export function writtenDay(rules, text) {
  const digits = writtenDigits(rules, text)
  return digits && dayNumber(Number(digits.slice(0, 4)), Number(digits.slice(4, 6)), Number(digits.slice(6)))
}

/** The Dutch day in which a moment falls, as days since 1970-01-01. @param {number} ms */
export function dutchDay(ms) {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Amsterdam', year: 'numeric', month: 'numeric', day: 'numeric' })
    .formatToParts(new Date(ms))
  const told = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]))
  return dayNumber(told.year, told.month, told.day)
}
