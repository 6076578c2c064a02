// The records inside the part of entry (nl.sor.Sealed): a score, a refusal, the taking back of a delivery.
import { bytes, join, long, string, utf8, wire } from './bytes.js'

/** Places of the facts in the union ``inhoud`` of schemas/avro/sor.sealed.avsc; a test compares them with the schema. */
export const BRANCHES = { Score: 3, Afwijzing: 5, Terugname: 10 }

const optional = (text) => (text ? join(long(1), bytes(utf8(text))) : long(0))

/** ``regels`` 1; ``records`` and ``plaats`` 0: none of these is a message. */
const sealed = (id, regel, branch, ...fields) =>
  wire(id, join(long(regel), long(1), long(BRANCHES[branch]), ...fields, long(0), long(0)))

/** @param {number} id of the schema @param {import('./checks.js').Checked} row @param {number} tijd ms */
export function record(id, row, tijd) {
  if (row.code) return sealed(id, row.regel, 'Afwijzing', string(row.code), string(row.veld))
  const waarde = row.waarde === null ? long(0) : join(long(1), long(row.waarde))
  const fields = [optional(row.toewijzing), optional(row.beschikking), long(row.doel), string(row.beoordelaar), waarde]
  return sealed(id, row.regel, 'Score', ...fields, long(tijd))
}

/** @param {number} id of the schema @param {{aanlevering: string, lines: number, reden: string}} fact */
export const takeback = (id, { aanlevering, lines, reden }) =>
  sealed(id, 1, 'Terugname', string(aanlevering), long(lines), string(reden))
