// Blinds a BSN, seals one score and signs the delivery, as a publisher in a browser would. Made javascript.json once:
//   npm install hpke@1.1.7 @panva/hpke-noble@1.0.3 @noble/curves@2.4.0
//   node javascript.mjs < inputs.json > javascript.json        (Node 20.20; inputs: see `inputs` in the output)
// The format is described in docs/envelope.md. Nothing here comes from the Python code but the inputs.
import { readFileSync } from 'node:fs'
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { CipherSuite } from 'hpke'
import { AEAD_AES_256_GCM, KDF_SHAKE256, KEM_MLKEM768_X25519 } from '@panva/hpke-noble'
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'

const utf8 = (text) => new TextEncoder().encode(text)
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const raw = (text) => new Uint8Array(Buffer.from(text, 'hex'))
const join = (...parts) => new Uint8Array(Buffer.concat(parts.map((p) => Buffer.from(p))))

// Avro
const long = (value) => {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const out = []
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  return new Uint8Array([...out, Number(rest)])
}
const bytes = (value) => join(long(value.length), value)
const string = (text) => bytes(utf8(text))
const boolean = (value) => new Uint8Array([value ? 1 : 0])
const wire = (id, record) => {
  const head = new Uint8Array(5)
  new DataView(head.buffer).setUint32(1, id)
  return join(head, record)
}

// Info and additional data: every field with its length in front, two bytes, big-endian.
const bound = (purpose, receiver, c) =>
  join(
    ...[purpose, 'sor-2', receiver, c.topic, c.delivery, `${c.lines}`, c.sender, c.test ? '1' : '0', `${c.epoch}`].map(
      (field) => join(new Uint8Array([utf8(field).length >> 8, utf8(field).length & 255]), utf8(field)),
    ),
  )

const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_SHAKE256, AEAD_AES_256_GCM)

async function sealer(receiver, publicKey, context) {
  const contentKey = crypto.getRandomValues(new Uint8Array(32))
  const key = await suite.DeserializePublicKey(publicKey)
  const { encapsulatedSecret, ciphertext } = await suite.Seal(key, contentKey, { info: bound('key', receiver, context) })
  const aes = await crypto.subtle.importKey('raw', contentKey, 'AES-GCM', false, ['encrypt'])
  return {
    keyId: new Uint8Array(createHash('sha256').update('sor key id').update(publicKey).digest().subarray(0, 8)),
    wrapped: join(encapsulatedSecret, ciphertext),
    hash: new Uint8Array(createHash('sha256').update(join(encapsulatedSecret, ciphertext)).digest()),
    seal: async (line, publishedAt, plain) => {
      const iv = new Uint8Array(12)
      new DataView(iv.buffer).setUint32(8, line)
      const place = new Uint8Array(16)
      new DataView(place.buffer).setUint32(4, line)
      new DataView(place.buffer).setBigUint64(8, BigInt(publishedAt))
      const additionalData = join(bound('line', receiver, context), place)
      return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, aes, plain))
    },
  }
}

// Ed25519 from the 32 bytes of a private key, in the envelope that Node reads (PKCS #8).
const signer = (key) => {
  const der = join(raw('302e020100300506032b657004220420'), key)
  const privateKey = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
  return (message) => new Uint8Array(sign(null, message, privateKey))
}

const inputs = JSON.parse(readFileSync(0, 'utf8'))
const { context, line, score } = inputs

const Fn = ristretto255.Point.Fn
const blind = Fn.fromBytes(raw(inputs.blind))
const point = ristretto255_hasher.hashToCurve(utf8(`NL|BSN|${inputs.bsn}`), {
  DST: join(utf8('HashToGroup-OPRFV1-'), new Uint8Array([0]), utf8('-ristretto255-SHA512')),
})
const blinded = point.multiply(blind).toBytes()
const inverse = Fn.toBytes(Fn.inv(blind))

// nl.sor.Sealed: regel, regels, then the fourth branch (3) of inhoud: nl.sor.Score with the second number (1: bytes) only; last
// records and plaats: a score is no message.
const sealed = wire(
  inputs.ids.sealed,
  join(
    long(score.regel), long(1), long(3),
    long(0), long(1), bytes(utf8(score.beschikking)),
    long(score.doel), string(score.beoordelaar), long(1), long(score.waarde), long(score.tijd),
    long(0), long(0),
  ),
)

const evaluate = await sealer('evaluate', raw(inputs.public.evaluate), context)
const entry = await sealer('entry', raw(inputs.public.entry), context)
const signature = signer(raw(inputs.source))(join(bound('signature', 'source', context), evaluate.hash, entry.hash))
const at = inputs.published_at
const envelope = wire(
  inputs.ids.envelope,
  join(
    string('sor-2'), long(context.epoch), string(context.delivery), long(line), long(context.lines),
    string(context.sender), boolean(context.test), long(at),
    bytes(evaluate.keyId), bytes(evaluate.wrapped), bytes(await evaluate.seal(line, at, blinded)),
    bytes(entry.keyId), bytes(entry.wrapped), bytes(await entry.seal(line, at, join(inverse, sealed))),
    bytes(raw(inputs.certificate)), bytes(signature),
  ),
)

const output = { point: hex(point.toBytes()), blinded: hex(blinded), inverse: hex(inverse), sealed: hex(sealed), signature: hex(signature) }
console.log(JSON.stringify({ inputs, ...output, envelope: hex(envelope) }, null, 1))
