// What this browser remembers: IndexedDB, or the memory of the page where it has none (a private window).

const NAME = 'sor'
const STORES = ['keys', 'deliveries', 'bodies']

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
const below = (prefix) => IDBKeyRange.bound(prefix, `${prefix}\uffff`)

/** Keys are texts; values are what a structured clone can hold, keys of WebCrypto too. */
class Store {
  constructor(database) {
    this.database = database
    this.lasting = true
  }

  #in(name, mode) {
    return this.database.transaction(name, mode, { durability: 'strict' }).objectStore(name)
  }

  get(name, key) {
    return settled(this.#in(name, 'readonly').get(key))
  }

  put(name, key, value) {
    return settled(this.#in(name, 'readwrite').put(value, key))
  }

  /** The value that is kept: this one, or that of whoever was first (another tab). */
  async first(name, key, value) {
    try {
      await settled(this.#in(name, 'readwrite').add(value, key))
      return value
    } catch (error) {
      if (error?.name !== 'ConstraintError') throw error
      return this.get(name, key)
    }
  }

  all(name, prefix) {
    return settled(this.#in(name, 'readonly').getAll(below(prefix)))
  }

  remove(name, prefix) {
    return settled(this.#in(name, 'readwrite').delete(below(prefix)))
  }
}

/** The same for as long as the page is open. */
export class MemoryStore {
  #values = Object.fromEntries(STORES.map((name) => [name, new Map()]))
  lasting = false

  async get(name, key) {
    return this.#values[name].get(key)
  }

  async put(name, key, value) {
    this.#values[name].set(key, value)
  }

  async first(name, key, value) {
    if (!this.#values[name].has(key)) this.#values[name].set(key, value)
    return this.#values[name].get(key)
  }

  async all(name, prefix) {
    return [...this.#values[name]].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value)
  }

  async remove(name, prefix) {
    for (const key of this.#values[name].keys()) if (key.startsWith(prefix)) this.#values[name].delete(key)
  }
}

/** The store of this browser; one that does not last where it may keep nothing. */
export async function openStore() {
  try {
    const request = indexedDB.open(NAME, 1)
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name))
    const store = new Store(await settled(request))
    await store.get('keys', 'none')
    return store
  } catch {
    return new MemoryStore()
  }
}
