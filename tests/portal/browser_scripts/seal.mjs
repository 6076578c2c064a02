// A delivery as the worker makes it, under Node. Rows, keys and the private key of the source come from standard input.
import { readFileSync } from 'node:fs'
import { fromBase64, toBase64, toHex } from './src/bytes.js'
import { parse } from './src/checks.js'
import { start } from './src/group.js'
import { seal } from './src/sealing.js'

globalThis.self ??= globalThis // libsodium looks for the random source of a worker
const given = JSON.parse(readFileSync(0, 'utf8'))
const group = await start()
const usage = { name: 'HMAC', hash: 'SHA-256' }
const naming = await crypto.subtle.importKey('raw', fromBase64(given.naming), usage, false, ['sign'])
const signing = await crypto.subtle.importKey('pkcs8', fromBase64(given.signing), 'Ed25519', false, ['sign'])
const certificate = fromBase64(given.certificate)
const rows = given.text ? parse(given.rules, given.text) : undefined
const began = performance.now()
const made = await seal(group, { ...given.job, rows, naming, signing, certificate })
const [blinded, inverse] = group.blind(given.bsn, fromBase64(given.scalar))
console.log(JSON.stringify({
  delivery: made.delivery, lines: made.lines, bodies: made.bodies.map(toBase64), ms: performance.now() - began,
  blinded: toHex(blinded), inverse: toHex(inverse),
}))
