// The intake as a browser sees it: sealed bodies go in, receipts come back as a stream. "Later" is waited for here.

const LATER = new Set([408, 425, 429, 500, 502, 503, 504])
const FIRST_PAUSE = 1_000, LAST_PAUSE = 15_000
/** So long a receipt may be unknown after its delivery was taken in: the intake was started anew. */
const UNKNOWN_MS = 120_000

/** The intake does not take it. ``detail``: its own Dutch sentence; ``type``: last part of the problem's type. */
export class Refused extends Error {
  constructor(status, type = '', detail = '') {
    super(`${status} ${type}`)
    Object.assign(this, { status, type, detail })
  }
}

const refusal = async (answer) => {
  const problem = await answer.json().catch(() => ({}))
  return new Refused(answer.status, `${problem.type ?? ''}`.split(':').at(-1), `${problem.detail ?? ''}`)
}
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const retryAfter = (answer) => Number(answer?.headers.get('Retry-After') ?? 0) * 1_000 || 0

export class Intake {
  /**
   * @param {string} base address @param {(anew?: boolean) => Promise<string>} token
   * @param {{ask?: typeof fetch, sleep?: (ms: number) => Promise<void>, waits?: (ms: number) => void}} how
   *   ``waits`` hears of every pause, 0 when it goes on
   */
  constructor(base, token, { ask = (...given) => fetch(...given), sleep = rest, waits = () => {} } = {}) {
    Object.assign(this, { base: base.replace(/\/$/, ''), token, ask, sleep, waits })
  }

  /** null without an answer, also when the portal gave none to the question for a token. */
  async #once(path, told, anew) {
    let token
    try {
      token = await this.token(anew)
    } catch (error) {
      if (error?.what === 'portaal-weg') return null
      throw error
    }
    const headers = { Authorization: `Bearer ${token}`, ...told.headers }
    return this.ask(`${this.base}${path}`, { ...told, headers, credentials: 'omit', cache: 'no-store' }).catch((error) => {
      if (error?.name === 'AbortError') throw error
      return null
    })
  }

  /** The answer, once it is no "later". A token that is not taken is asked anew, once in a row. */
  async #until(path, told) {
    let pause = FIRST_PAUSE, anew = false
    for (;;) {
      const answer = await this.#once(path, told, anew)
      if (answer?.status === 401 && !anew) {
        anew = true
        continue
      }
      if (answer && !LATER.has(answer.status)) return answer
      const wait = Math.max(pause, Math.min(retryAfter(answer), 60_000))
      this.waits(wait)
      await this.sleep(wait)
      this.waits(0)
      pause = Math.min(pause * 2, LAST_PAUSE)
      anew = false
    }
  }

  /** One body, until the intake has it; the same body again has one effect. @param {Uint8Array} body @throws {Refused} */
  async post(body) {
    const headers = { 'Content-Type': 'application/octet-stream' }
    const answer = await this.#until('/sealed', { method: 'POST', body, headers })
    if (answer.status !== 202) throw await refusal(answer)
    return answer.json()
  }

  /** What the intake knows of the deliveries of this provider, the newest first. @throws {Refused} */
  async deliveries(after = '') {
    const query = after ? `?aantal=100&na=${encodeURIComponent(after)}` : '?aantal=100'
    const answer = await this.#until(`/deliveries${query}`, {})
    if (!answer.ok) throw await refusal(answer)
    return answer.json()
  }

  /** The receipt as it is now. @param {{id: string, lines: number, sender: string}} which @throws {Refused} */
  async receipt({ id, lines, sender }) {
    const answer = await this.#until(`/deliveries/${id}?records=${lines}&aanbieder=${sender}`, {})
    if (!answer.ok) throw await refusal(answer)
    return answer.json()
  }

  /**
   * Every state of a receipt until it is final. A stream that breaks off is taken up again.
   * @param {{id: string, lines: number, sender: string}} which @param {AbortSignal} [signal]
   * @throws {Refused} unknown for two minutes, or not to be seen
   */
  async *receipts({ id, lines, sender }, signal) {
    const path = `/deliveries/${id}?records=${lines}&aanbieder=${sender}`
    let unknown = 0, broken = 0
    for (;;) {
      const answer = await this.#until(path, { headers: { Accept: 'text/event-stream' }, signal })
      if (answer.status === 404 && unknown < UNKNOWN_MS) {
        unknown += FIRST_PAUSE
        await this.sleep(FIRST_PAUSE)
        continue
      }
      if (!answer.ok) throw await refusal(answer)
      unknown = 0
      try {
        for await (const receipt of events(answer.body)) {
          broken = 0
          yield receipt
          if (receipt.klaar) return
        }
      } catch (error) {
        if (signal?.aborted) throw error
      }
      broken += 1
      await this.sleep(Math.min(broken * FIRST_PAUSE, LAST_PAUSE))
    }
  }
}

/** The data of server-sent events. @param {ReadableStream<Uint8Array>} body */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    rest += value
    const whole = rest.split('\n\n')
    rest = whole.pop()
    for (const event of whole) {
      const data = event.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart())
      if (data.length) yield JSON.parse(data.join('\n'))
    }
  }
}
