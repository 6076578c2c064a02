// Deliveries as the worker makes them, under Node. What each is made of comes from standard input, by name.
import { readFileSync } from 'node:fs'
import { fromBase64, toBase64, toHex } from './src/bytes.js'
import { parse } from './src/checks.js'
import { ofBsn, start } from './src/group.js'
import { placed } from './src/lots.js'
import { readFile } from './src/recognise.js'
import { seal } from './src/sealing.js'

globalThis.self ??= globalThis // libsodium looks for the random source of a worker
const group = await start()
const usage = { name: 'HMAC', hash: 'SHA-256' }

async function recordsOf({ rules, file: { raw, name, ...context } }) {
  const { kind, records } = await readFile(fromBase64(raw), name, { rules, ...context })
  return placed(kind, records)
}

async function one(given) {
  const naming = await crypto.subtle.importKey('raw', fromBase64(given.naming), usage, false, ['sign'])
  const signing = await crypto.subtle.importKey('pkcs8', fromBase64(given.signing), 'Ed25519', false, ['sign'])
  const certificate = fromBase64(given.certificate)
  const began = performance.now()
  const rows = given.file ? await recordsOf(given) : given.text ? parse(given.rules, given.text) : undefined
  const read = performance.now()
  const made = await seal(group, { ...given.job, rows, naming, signing, certificate })
  const sealed = performance.now()
  const [blinded, inverse] = group.blind(ofBsn(given.bsn), fromBase64(given.scalar))
  return {
    delivery: made.delivery, lines: made.lines, bodies: made.bodies.map(toBase64), blinded: toHex(blinded),
    inverse: toHex(inverse), readMs: read - began, sealMs: sealed - read,
  }
}

const answers = {}
for (const [name, given] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) answers[name] = await one(given)
console.log(JSON.stringify(answers))
