// The worker as a page sees it: a job in, a sealed delivery out.
import { Unsupported } from './identity.js'

const ADDRESS = new URL('worker.js', import.meta.url).href

function trusted() {
  const policy = globalThis.trustedTypes?.createPolicy('sor', {
    createScriptURL: (address) => {
      if (address !== ADDRESS) throw new TypeError('another script')
      return address
    },
  })
  return policy ? policy.createScriptURL(ADDRESS) : ADDRESS
}

export class Workshop {
  #worker = null
  #jobs = new Map()
  #last = 0

  /** Start it ahead: libsodium takes a moment. */
  start() {
    if (this.#worker) return
    this.#worker = new Worker(trusted(), { type: 'module' })
    this.#worker.addEventListener('message', ({ data }) => this.#hear(data))
    this.#worker.addEventListener('error', () => {
      for (const { reject } of this.#jobs.values()) reject(new Unsupported('geen-worker'))
      this.#jobs.clear()
    })
  }

  /** @param {object} job of ``sealing.seal`` @param {(done: number) => void} progress */
  seal(job, progress) {
    this.start()
    const number = (this.#last += 1)
    return new Promise((resolve, reject) => {
      this.#jobs.set(number, { resolve, reject, progress })
      this.#worker.postMessage({ number, job })
    })
  }

  #hear({ number, done, made, failed }) {
    const job = this.#jobs.get(number)
    if (!job) return
    if (done !== undefined) {
      job.progress(done)
      return
    }
    this.#jobs.delete(number)
    if (made) job.resolve(made)
    else job.reject(new Unsupported(failed === 'suite' ? 'andere-suite' : 'verzegelen-mislukt'))
  }
}
