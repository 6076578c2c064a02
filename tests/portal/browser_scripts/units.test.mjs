// Units of the scripts of the portal, in Node's own test runner; test_browser_units.py starts it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Delivering } from './src/delivering.js'
import { events, Intake, Refused } from './src/intake.js'
import { holds, Journal } from './src/journal.js'
import { Portal, PortalFault } from './src/portal.js'
import { counts, sentStates, unsent } from './src/states.js'
import { canonical } from './src/sealing.js'
import { MemoryStore } from './src/store.js'
import { decode, FileFault } from './src/text.js'

const answer = (status, body = {}, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } })

/** An intake that gives these answers in turn, and what it was asked. */
function intakeOf(...given) {
  const asked = [], slept = []
  const ask = async (address, told) => {
    asked.push([address, told.headers.Authorization])
    const one = given.shift()
    if (one === null) throw new TypeError('no network')
    return one
  }
  const intake = new Intake('http://intake/', async (anew) => (anew ? 'new' : 'old'), { ask, sleep: async (ms) => slept.push(ms) })
  return { intake, asked, slept }
}

test('a body is sent again until it is taken, with longer pauses', async () => {
  const { intake, asked, slept } = intakeOf(null, answer(503), answer(429, {}, { 'Retry-After': '9' }), answer(408), answer(202, { nieuw: true }))
  assert.deepEqual(await intake.post(new Uint8Array(3)), { nieuw: true })
  assert.equal(asked.length, 5)
  assert.deepEqual(slept, [1000, 2000, 9000, 8000])
})

test('a token that is not taken is asked anew, once', async () => {
  const { intake, asked } = intakeOf(answer(401), answer(202))
  await intake.post(new Uint8Array(1))
  assert.deepEqual(asked.map(([, token]) => token), ['Bearer old', 'Bearer new'])
  const twice = intakeOf(answer(401), answer(401, { type: 'urn:sor:geen-toegang', detail: 'Geen toegang.' }))
  await assert.rejects(twice.intake.post(new Uint8Array(1)), (error) => error instanceof Refused && error.type === 'geen-toegang')
})

test('a portal that is away for a moment does not end a delivery; being logged out does', async () => {
  const faults = [new PortalFault('portaal-weg')]
  const token = async () => { if (faults.length) throw faults.pop(); return 'x' }
  const intake = new Intake('http://intake', token, { ask: async () => answer(202), sleep: async () => {} })
  await intake.post(new Uint8Array(1))
  faults.push(new PortalFault('uitgelogd'))
  await assert.rejects(intake.post(new Uint8Array(1)), PortalFault)
})

const stream = (...receipts) =>
  new Response(`retry: 3000\n\n: nog bezig\n\n${receipts.map((one) => `event: ontvangst\ndata: ${JSON.stringify(one)}\n\n`).join('')}`)

test('a receipt is followed over a stream that breaks off and one that is not known yet', async () => {
  const { intake, asked } = intakeOf(answer(404), stream({ gezien: 1 }), null, stream({ gezien: 1 }, { gezien: 2, klaar: true }))
  const seen = []
  for await (const one of intake.receipts({ id: 'a'.repeat(32), lines: 2, sender: '94000001' })) seen.push(one.gezien)
  assert.deepEqual(seen, [1, 1, 2])
  assert.equal(asked[0][0], `http://intake/deliveries/${'a'.repeat(32)}?records=2&aanbieder=94000001`)
})

test('events come whole, however they were cut', async () => {
  const raw = new TextEncoder().encode('id: 1\ndata: {"a":"é"}\n\n: x\n\ndata: {"a":2}\n\n')
  const body = new ReadableStream({ start(one) { for (const byte of raw) one.enqueue(new Uint8Array([byte])); one.close() } })
  const seen = []
  for await (const one of events(body)) seen.push(one.a)
  assert.deepEqual(seen, ['é', 2])
})

test('each row has its state', () => {
  const rows = ['', 'R05', '', ''].map((code) => ({ code, veld: '' })), messages = { R05: 'Fout.' }
  const names = (receipt) => sentStates(rows, receipt, messages).map((one) => one.state)
  assert.deepEqual(rows.map((row) => unsent(row, messages).state), ['goed', 'fout', 'goed', 'goed'])
  assert.deepEqual(names(null), ['bezig', 'bezig', 'bezig', 'bezig'])
  const fouten = [{ record: 2, code: 'R05', veld: 'Waarde', melding: 'Fout.' }, { record: 3, code: 'WJ1', veld: '', melding: 'm', ingetrokken: true }]
  assert.deepEqual(names({ klaar: false, fouten }), ['bezig', 'afgekeurd', 'ingetrokken', 'bezig'])
  const whole = { klaar: true, fouten, afgekeurd: 1, ingetrokken: 1, geaccepteerd: 2 }
  assert.deepEqual(names(whole), ['geaccepteerd', 'afgekeurd', 'ingetrokken', 'geaccepteerd'])
  assert.deepEqual(names({ ...whole, afgekeurd: 600 }), ['geteld', 'afgekeurd', 'ingetrokken', 'geteld'])
  assert.deepEqual(names({ ...whole, teruggenomen: 'x' })[0], 'teruggenomen')
  assert.deepEqual(counts(4, whole), { ingelezen: 0, fout: 2, goed: 2, totaal: 4 })
})

async function journal(store = new MemoryStore(), sender = '94000001', key = undefined) {
  key ??= await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  return new Journal(store, sender, key)
}

test('the journal keeps rows encrypted, per provider, and forgets them', async () => {
  const store = new MemoryStore(), mine = await journal(store), other = await journal(store, '94000002')
  await mine.save({ id: 'a', at: 1, rows: [[1, ['999900006']]] })
  await mine.save({ id: 'b', at: 2, rows: [] })
  await mine.keep('a', [new Uint8Array([1]), new Uint8Array([2])])
  assert.deepEqual((await mine.all()).map((one) => one.id), ['b', 'a'])
  assert.deepEqual(await other.all(), [])
  assert.deepEqual((await mine.bodies('a')).map((one) => one[0]), [1, 2])
  const [{ raw }] = await store.all('deliveries', '94000001/a')
  assert.ok(!Buffer.from(raw).includes('999900006'))
  const swapped = await store.get('deliveries', '94000001/a')
  await store.put('deliveries', '94000001/b', { ...swapped, place: '94000001/b' })
  assert.equal(await mine.load('b'), null)
  await mine.empty()
  assert.deepEqual([await mine.all(), await mine.bodies('a')], [[], []])
  assert.ok(holds(['999900006', '', '7'], '0006') && !holds(['1', '2', '3', '0006'], '0006'))
})

test('certificate and token are asked once, and anew before they end', async () => {
  let now = Date.now()
  const asked = []
  const ask = async (place) => {
    asked.push(place)
    const tot = now / 1000 + (place === 'c' ? 28_800 : 900)
    return answer(200, { certificaat: 'AQ==', token: 't', tot }, { Date: new Date(now).toUTCString() })
  }
  const portal = new Portal({ publiek: 'p', certificaat: 'c', toegang: 't', csrf: 'x' }, ask)
  const signing = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
  for (let round = 0; round < 2; round += 1) {
    await portal.certificate(signing)
    await portal.token()
  }
  assert.deepEqual(asked, ['c', 't'])
  now += 850_000 // the server's clock goes on: the token is about to end
  await portal.publicKeys()
  assert.ok(Math.abs(portal.ahead - 850_000) < 2_000)
  await portal.certificate(signing)
  await portal.token()
  assert.deepEqual(asked, ['c', 't', 'p', 't'])
})

test('a page of logging in is no answer', async () => {
  const login = new Response('<html>', { headers: { 'Content-Type': 'text/html' } })
  const portal = new Portal({ publiek: 'p', csrf: '' }, async () => login)
  await assert.rejects(portal.publicKeys(), (error) => error.what === 'uitgelogd')
  const away = new Portal({ publiek: 'p', csrf: '' }, async () => { throw new TypeError('no network') })
  await assert.rejects(away.publicKeys(), (error) => error.what === 'portaal-weg')
})

test('after logging in anew in another tab the page takes the new token of its forms', async () => {
  const shown = [], form = '<input type="hidden" name="csrfmiddlewaretoken" value="new1">'
  const ask = async (place, told) => {
    if (place === 'page') return new Response(form)
    shown.push(told.headers['X-CSRFToken'])
    return shown.length > 1 ? answer(200, { token: 't', tot: Date.now() }) : answer(403)
  }
  const portal = new Portal({ toegang: 't', pagina: 'page', csrf: 'old' }, ask)
  assert.equal(await portal.token(), 't')
  assert.deepEqual(shown, ['old', 'new1'])
})

/** Parts of a delivery whose bodies are of one byte: how often it was sealed. */
async function parts(intake) {
  let sealed = 0
  const portal = {
    ahead: 0, now: () => Date.now(), publicKeys: async () => ({ ids: {}, epoch: 1 }),
    certificate: async () => ({ der: new Uint8Array(1), until: Date.now() / 1000 + 28_800 }),
  }
  const seal = async () => ({ delivery: 'd', lines: 1, bodies: [new Uint8Array([(sealed += 1)]), new Uint8Array([sealed])] })
  return { portal, intake, journal: await journal(), identity: { signing: {} }, sender: '94000001', seal }
}
const rows = [{ regel: 1, cells: ['a'], code: 'R07', veld: '' }]
const final = async function* () { yield { klaar: true } }

test('a delivery that broke off sends what is left, the same bytes', async () => {
  const sent = []
  const broken = { post: async (body) => { if (sent.length) throw new Error('closed'); sent.push(body[0]) }, receipts: final }
  const given = await parts(broken)
  await assert.rejects(new Delivering(given).deliver({ rows }), /closed/)
  const kept = await given.journal.load('d')
  assert.deepEqual([kept.state, kept.sent], ['sending', 1])
  given.intake = { post: async (body) => sent.push(body[0]), receipts: final }
  assert.equal(await new Delivering(given).resume(kept, () => rows), true)
  assert.deepEqual(sent, [1, 1])
  assert.equal((await given.journal.load('d')).state, 'final')
  assert.deepEqual(await given.journal.bodies('d'), [])
})

test('under a certificate that has ended it is sealed anew, all of it', async () => {
  const sent = [], given = await parts({ post: async (body) => sent.push(body[0]), receipts: final })
  const stale = { id: 'd', kind: 'score', test: false, lines: 1, state: 'sending', sent: 1, until: 1, back: null, rows: [] }
  await given.journal.keep('d', [new Uint8Array([9]), new Uint8Array([9])])
  await new Delivering(given).resume(stale, () => rows)
  assert.deepEqual(sent, [1, 1])
})

test('records of a file are kept whole until they are final, so that they can be sealed anew', async () => {
  const sealed = [], given = await parts({ post: async () => { throw new Error('closed') }, receipts: final })
  const seal = given.seal
  given.seal = async (job) => { sealed.push(job.rows); return seal(job) }
  const records = [{ regel: 1, regels: 1, cells: ['999900006'], code: '', veld: '', bsn: '999900006', fact: { soort: 'Start' } }]
  await assert.rejects(new Delivering(given).deliver({ kind: 'start', rows: records }), /closed/)
  const kept = await given.journal.load('d')
  kept.until = 1
  given.intake.post = async () => {}
  await new Delivering(given).resume(kept, () => assert.fail('records are not checked anew'))
  assert.deepEqual(sealed, [records, records])
  assert.equal((await given.journal.load('d')).full, undefined)
  await new Delivering(given).deliver({ kind: 'cem', rows: records })
  assert.deepEqual((await given.journal.load('d')).full, records) // a meting may be put right later
})

test('the same records are the same delivery, whatever their file is called', () => {
  const record = { regel: 1, regels: 2, cells: ['x'], code: '', veld: '', bsn: '999900006', fact: { soort: 'Meting', datum: 1 } }
  const named = (row) => JSON.stringify(canonical('cem', '94000001', false, [row]))
  assert.equal(named(record), named({ ...record, cells: ['y'], bestand: 'a.csv', lines: [] }))
  for (const other of [{ regels: 1 }, { bsn: '999900018' }, { fact: { soort: 'Meting', datum: 2 } }, { code: 'C01' }, { fallback: 'm|' }]) {
    assert.notEqual(named(record), named({ ...record, ...other }))
  }
})

test('what is refused for good is told and kept', async () => {
  const given = await parts({ post: async () => { throw new Refused(403, 'andere-aanbieder', 'Niet voor u.') }, receipts: final })
  await assert.rejects(new Delivering(given).deliver({ rows }), Refused)
  assert.equal((await given.journal.load('d')).state, 'refused')
})

test('UTF-16 of a spreadsheet is read, other bytes are refused by their code', () => {
  assert.equal(decode(new Uint8Array([0xff, 0xfe, 0x42, 0, 0xe9, 0])), 'Bé')
  for (const [bytes, code] of [[[0x50, 0x4b, 3, 4], 'B14'], [[0xd0, 0xcf, 0x11, 0xe0], 'B23'], [[0x42, 0, 0x42], 'B04'], [[0xff, 0xfe, 1], 'B04']]) {
    assert.throws(() => decode(new Uint8Array(bytes)), (error) => error instanceof FileFault && error.code === code)
  }
})
