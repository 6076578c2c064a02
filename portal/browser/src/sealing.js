// One delivery from checked rows to signed bodies. Runs in the worker, and under Node in the tests.
import { fromBase64, join, toHex, utf8 } from './bytes.js'
import { bodies } from './compact.js'
import { record, takeback } from './facts.js'
import { current, Sealer, signed, SUITE } from './seal.js'

/** Rows between two words of progress. */
const CHUNK = 500
const NO_SCALAR = new Uint8Array(32)
const NOTHING = new Uint8Array(0)

/** @typedef {import('./checks.js').Checked} Checked */

/**
 * The id of a delivery: the same for the same rows, and a secret of this browser keeps them from being guessed.
 * @param {CryptoKey} key HMAC-SHA-256, not to be exported @param {unknown[]} parts what makes it this delivery
 */
export async function deliveryId(key, parts) {
  const mac = await crypto.subtle.sign('HMAC', key, utf8(JSON.stringify(parts)))
  return toHex(new Uint8Array(mac).slice(0, 16))
}

/** What makes a delivery of rows: kind, sender, test, and the cells as they were read. @param {Checked[]} rows */
export const canonical = (kind, sender, test, rows) => [kind, sender, test, rows.map((row) => [row.regel, ...row.cells])]

async function* sealedLines(group, sealers, id, rows, now, progress) {
  const blinded = new Map(), tijd = now()
  for (let start = 0; start < rows.length; start += CHUNK) {
    const made = rows.slice(start, start + CHUNK).map(async (row, place) => {
      const line = start + place + 1, publishedAt = now()
      if (!row.code && !blinded.has(row.bsn)) blinded.set(row.bsn, group.blind(row.bsn))
      const [element, inverse] = row.code ? [null, NO_SCALAR] : blinded.get(row.bsn)
      const inside = row.fact ? takeback(id, row.fact) : record(id, row, tijd)
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
 *   context: Omit<import('./seal.js').Context, 'delivery' | 'lines'>, rows?: Checked[], back?: object,
 *   signing: CryptoKey, naming: CryptoKey, certificate: Uint8Array, now: number}} job
 *   ``now``: ms by the clock of the server; ``back``: the fact of taking back, in place of rows
 * @param {(done: number) => void} progress
 * @returns {Promise<{delivery: string, lines: number, bodies: Uint8Array[]}>}
 */
export async function seal(group, job, progress = () => {}) {
  if (job.keys.suite !== SUITE) throw new Error('suite')
  const began = performance.now(), now = () => Math.round(job.now + performance.now() - began)
  const { kind, sender, test } = job.context
  const rows = job.back ? [{ code: ' ', fact: job.back }] : job.rows
  const parts = job.back ? [kind, sender, job.back, now()] : canonical(kind, sender, test, rows)
  const context = { ...job.context, delivery: await deliveryId(job.naming, parts), lines: rows.length }
  const keys = current(job.keys, now())
  const evaluate = await Sealer.make('evaluate', fromBase64(keys.evaluate), context)
  const entry = await Sealer.make('entry', fromBase64(keys.entry), context)
  const message = await signed(context, evaluate, entry)
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', job.signing, message))
  const head = { context, evaluate, entry, certificate: job.certificate, signature }
  const lines = []
  for await (const line of sealedLines(group, { evaluate, entry }, job.ids.sealed, rows, now, progress)) lines.push(line)
  return { delivery: context.delivery, lines: rows.length, bodies: bodies(job.ids.compact, head, lines) }
}
