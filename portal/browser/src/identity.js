// The keys of this browser for one provider. None can be exported: they serve here, and are gone with the browser's data.

/** The browser lacks something without which nothing can be sent safely. ``what``: name of a text of the page. */
export class Unsupported extends Error {
  constructor(what) {
    super(what)
    this.what = what
  }
}

const MAKERS = {
  signing: () => crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']),
  naming: () => crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']),
  journal: () => crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
}

async function made(name) {
  try {
    return await MAKERS[name]()
  } catch {
    throw new Unsupported(name === 'signing' ? 'geen-ed25519' : 'geen-webcrypto')
  }
}

async function one(store, sender, name) {
  const key = `${sender}/${name}`
  return (await store.get('keys', key)) ?? store.first('keys', key, await made(name))
}

/**
 * @param {import('./store.js').MemoryStore} store @param {string} sender AGB code
 * @returns {Promise<{signing: CryptoKeyPair, naming: CryptoKey, journal: CryptoKey}>}
 * @throws {Unsupported}
 */
export async function identity(store, sender) {
  if (!globalThis.crypto?.subtle) throw new Unsupported('geen-webcrypto')
  const [signing, naming, journal] = await Promise.all(['signing', 'naming', 'journal'].map((name) => one(store, sender, name)))
  return { signing, naming, journal }
}
