// What became of each row: from the checks here, and from the receipt of the delivery.

/**
 * @typedef {'goed' | 'fout' | 'bezig' | 'geaccepteerd' | 'afgekeurd' | 'ingetrokken' | 'geteld' | 'teruggenomen'} State
 * ``geteld``: the delivery is done, but so many rows were refused that the receipt does not list this one's outcome
 * @typedef {{state: State, code: string, veld: string, melding: string}} RowState
 */

const told = (state, code = '', veld = '', melding = '') => ({ state, code, veld, melding })

/** Before a row is sent. @param {{code: string, veld: string}} row @param {Object<string, string>} messages */
export const unsent = (row, messages) =>
  row.code ? told('fout', row.code, row.veld, messages[row.code] ?? '') : told('goed')

/**
 * The states of all rows of a delivery that was sent.
 * @param {{code: string, veld: string}[]} rows in the order of the records @param {object | null} receipt
 * @param {Object<string, string>} messages @returns {RowState[]}
 */
export function sentStates(rows, receipt, messages) {
  const faults = new Map((receipt?.fouten ?? []).map((one) => [one.record, one]))
  const remarks = new Map((receipt?.opmerkingen ?? []).map((one) => [one.code, one.melding]))
  const remarked = new Map((receipt?.opmerkingen_records ?? []).map((one) => [one.record, one.code]))
  const known = rows.filter((row, place) => row.code || faults.has(place + 1)).length
  const every = known >= (receipt?.afgekeurd ?? 0) + (receipt?.ingetrokken ?? 0)
  return rows.map((row, place) => {
    const fault = faults.get(place + 1)
    if (receipt?.teruggenomen) return told('teruggenomen')
    if (fault) return told(fault.ingetrokken ? 'ingetrokken' : 'afgekeurd', fault.code, fault.veld, fault.melding)
    if (!receipt?.klaar) return told('bezig')
    if (row.code) return told('afgekeurd', row.code, row.veld, messages[row.code] ?? '')
    const remark = remarked.get(place + 1) ?? ''
    return told(every ? 'geaccepteerd' : 'geteld', remark, '', remarks.get(remark) ?? '')
  })
}

/** The four counts of the field (S0). @param {number} lines @param {object | null} receipt */
export function counts(lines, receipt) {
  const good = receipt?.geaccepteerd ?? 0, bad = (receipt?.afgekeurd ?? 0) + (receipt?.ingetrokken ?? 0)
  return { ingelezen: Math.max(0, lines - good - bad), fout: bad, goed: good, totaal: lines }
}

const OF_BSN = ['R01', 'C01', 'G01', 'CS002']

/** What a refused cell may have meant: a type that is none, a number that a spreadsheet spoiled. */
export function hint(rules, { code, cells }) {
  const { lost_zero: eight, rounded } = rules.patterns
  const matches = (pattern) => new RegExp(`^(?:${pattern})$`, 'u').test(cells[0] ?? '')
  if (code === 'R04') return rules.proposals[(cells[3] ?? '').toUpperCase()] ?? ''
  if (!OF_BSN.includes(code)) return ''
  if (matches(eight)) return rules.messages.lost_zero
  return matches(rounded) ? rules.messages.rounded : ''
}
