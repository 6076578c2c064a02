// The records inside the part of entry (nl.sor.Sealed): a fact, or why a line is refused. Their fields come from the
// contract, by rules.json.
import { boolean, bytes, join, long, string, utf8, wire } from './bytes.js'

const NOTHING = new Uint8Array(0)
const WRITE = {
  string, boolean, int: long, long, bytes: (text) => bytes(utf8(text)),
  /** One block of pairs, then the end. */
  map: (pairs) => {
    const told = Object.entries(pairs).map(([name, value]) => join(string(name), long(value)))
    return join(told.length ? join(long(told.length), ...told) : NOTHING, long(0))
  },
}

/** A value in Avro. @param {string | string[]} type a name, or a pair of ``null`` and a name */
const written = (type, value) => {
  if (typeof type === 'string') return WRITE[type](value)
  return value === null ? long(0) : join(long(1), WRITE[type[1]](value))
}

/**
 * The record of one row. ``fact``: what it says, see readers.js; a row of scores is a fact by itself.
 * @param {Object<string, {branch: number, fields: [string, string | string[]][]}>} facts of rules.json
 * @param {number} id of the schema @param {number} tijd ms, of delivering
 * @param {{regel?: number, regels?: number, code: string, veld?: string, fact?: object, records?: number, plaats?: number}} row
 */
export function record(facts, id, row, tijd) {
  const { soort, ...told } = content(row), { branch, fields } = facts[soort]
  const values = fields.map(([name, type]) => written(type, name === 'tijd' ? tijd : told[name]))
  const place = [long(row.records ?? 0), long(row.plaats ?? 0)]
  return wire(id, join(long(row.regel ?? 1), long(row.regels ?? 1), long(branch), ...values, ...place))
}

function content(row) {
  if (row.code) return { soort: 'Afwijzing', code: row.code, veld: row.veld }
  return row.fact ?? scoreOf(row)
}

const scoreOf = ({ toewijzing, beschikking, doel, beoordelaar, waarde }) =>
  ({ soort: 'Score', toewijzing: toewijzing || null, beschikking: beschikking || null, doel, beoordelaar, waarde })
