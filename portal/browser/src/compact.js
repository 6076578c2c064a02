// The compact form of a delivery: bodies of frames of nl.sor.Compact (docs/envelope.md, "Over HTTPS").
import { boolean, bytes, join, long, string, uint32, wire } from './bytes.js'
import { SUITE } from './seal.js'

/** Bytes of one body, lines of one body, bytes of sealed parts after which a frame is written. */
export const BODY_BYTES = 4_000_000
export const BODY_LINES = 25_000
const FULL = 65_536

/**
 * @typedef {{line: number, publishedAt: number, evaluate: Uint8Array, entry: Uint8Array}} SealedLine
 * @typedef {{context: import('./seal.js').Context, evaluate: {keyId: Uint8Array, wrapped: Uint8Array},
 *   entry: {keyId: Uint8Array, wrapped: Uint8Array}, certificate: Uint8Array, signature: Uint8Array}} Head
 */

/** @param {Head} head */
const headRecord = ({ context, evaluate, entry, certificate, signature }) =>
  join(
    string(SUITE), long(context.epoch), string(context.kind), string(context.delivery), long(context.lines),
    string(context.sender), boolean(context.test), bytes(evaluate.keyId), bytes(evaluate.wrapped), bytes(entry.keyId),
    bytes(entry.wrapped), bytes(certificate), bytes(signature),
  )

/** @param {SealedLine} one */
const lineRecord = (one) => join(long(one.line), long(one.publishedAt), bytes(one.evaluate), bytes(one.entry))

const frame = (id, head, lines) => {
  const first = head ? join(long(1), headRecord(head)) : long(0)
  const record = wire(id, join(first, long(lines.length), ...lines, long(0)))
  return join(uint32(record.length), record)
}

/**
 * The bodies of a delivery, each with the head in its first frame.
 * @param {number} id of the schema @param {Head} head @param {Iterable<SealedLine>} lines ascending
 * @returns {Uint8Array[]}
 */
export function bodies(id, head, lines) {
  const done = []
  let frames = [], held = [], heldBytes = 0, bodyBytes = 0, bodyLines = 0
  const endFrame = () => {
    if (!held.length) return
    const made = frame(id, frames.length ? null : head, held)
    frames.push(made)
    bodyBytes += made.length
    held = []
    heldBytes = 0
  }
  const endBody = () => {
    endFrame()
    if (frames.length) done.push(join(...frames))
    frames = []
    bodyBytes = bodyLines = 0
  }
  for (const one of lines) {
    const record = lineRecord(one)
    if (bodyLines >= BODY_LINES || bodyBytes + heldBytes + record.length + 8_192 > BODY_BYTES) endBody()
    held.push(record)
    heldBytes += record.length
    bodyLines += 1
    if (heldBytes >= FULL) endFrame()
  }
  endBody()
  return done
}
