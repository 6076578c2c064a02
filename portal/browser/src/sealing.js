// One delivery from checked rows to signed bodies. Runs in the worker, and under Node in the tests.
import { fromBase64, join, toHex, utf8 } from './bytes.js'
import { bodies } from './compact.js'
import { record } from './facts.js'
import { ofBsn, ofKey } from './group.js'
import { current, Sealer, signed, SUITE } from './seal.js'

/** Rows between two words of progress. */
const CHUNK = 500
const NO_SCALAR = new Uint8Array(32)
const NOTHING = new Uint8Array(0)

/** @typedef {import('./checks.js').Checked | import('./readers.js').FileRecord} Row */

/**
 * The id of a delivery: the same for the same rows, and a secret of this browser keeps them from being guessed.
 * @param {CryptoKey} key HMAC-SHA-256, not to be exported @param {unknown[]} parts what makes it this delivery
 */
export async function deliveryId(key, parts) {
  const mac = await crypto.subtle.sign('HMAC', key, utf8(JSON.stringify(parts)))
  return toHex(new Uint8Array(mac).slice(0, 16))
}

/** What makes a delivery of rows: kind, sender, test, and the cells or facts as they were read. @param {Row[]} rows */
export const canonical = (kind, sender, test, rows) => [kind, sender, test, rows.map(identifying)]

const identifying = ({ regel, regels, code, veld, bsn, fallback, fact, cells }) =>
  fact === undefined ? [regel, ...cells] : [regel, regels, code, veld, bsn, fallback ?? '', fact]

/** Whose a row is, ready to be blinded; '' when it is nobody's. @param {Row} row */
function whose({ code, bsn, fallback }) {
  if (code || !(bsn || fallback)) return ''
  return fallback ? ofKey(fallback) : ofBsn(bsn)
}

async function* sealedLines(group, sealers, { facts, ids }, rows, now, progress) {
  const blinded = new Map(), tijd = now()
  for (let start = 0; start < rows.length; start += CHUNK) {
    const made = rows.slice(start, start + CHUNK).map(async (row, place) => {
      const line = start + place + 1, publishedAt = now()
      const who = whose(row)
      if (who && !blinded.has(who)) blinded.set(who, group.blind(who))
      const [element, inverse] = who ? blinded.get(who) : [null, NO_SCALAR]
      const inside = record(facts, ids.sealed, row, tijd)
      return {
        line, publishedAt,
        evaluate: element ? await sealers.evaluate.seal(line, publishedAt, element) : NOTHING,
        entry: await sealers.entry.seal(line, publishedAt, join(inverse, inside)),
      }
    })
    yield* await Promise.all(made)
    progress(Math.min(start + CHUNK, rows.length))
  }
}

/**
 * @param {{blind: Function}} group
 * @param {{keys: {suite: string, evaluate: string, entry: string, next?: object}, ids: {sealed: number, compact: number},
 *   context: Omit<import('./seal.js').Context, 'delivery' | 'lines'>, rows?: Row[], back?: object, facts: object,
 *   signing: CryptoKey, naming: CryptoKey, certificate: Uint8Array, now: number}} job
 *   ``now``: ms by the clock of the server; ``facts``: of rules.json; ``back``: the fact of taking back, in place of rows
 * @param {(done: number) => void} progress
 * @returns {Promise<{delivery: string, lines: number, bodies: Uint8Array[]}>}
 */
export async function seal(group, job, progress = () => {}) {
  if (job.keys.suite !== SUITE) throw new Error('suite')
  const began = performance.now(), now = () => Math.round(job.now + performance.now() - began)
  const { kind, sender, test } = job.context
  const rows = job.back ? [{ code: '', fact: { soort: 'Terugname', ...job.back } }] : job.rows
  const parts = job.back ? [kind, sender, job.back, now()] : canonical(kind, sender, test, rows)
  const context = { ...job.context, delivery: await deliveryId(job.naming, parts), lines: rows.length }
  const keys = current(job.keys, now())
  const evaluate = await Sealer.make('evaluate', fromBase64(keys.evaluate), context)
  const entry = await Sealer.make('entry', fromBase64(keys.entry), context)
  const message = await signed(context, evaluate, entry)
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', job.signing, message))
  const head = { context, evaluate, entry, certificate: job.certificate, signature }
  const lines = []
  for await (const line of sealedLines(group, { evaluate, entry }, job, rows, now, progress)) lines.push(line)
  return { delivery: context.delivery, lines: rows.length, bodies: bodies(job.ids.compact, head, lines) }
}
