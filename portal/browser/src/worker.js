// The worker: everything that touches a BSN in clear on its way out. Its own policy lets it connect to nothing.
import { start } from './group.js'
import { seal } from './sealing.js'

const group = start()

self.addEventListener('message', async ({ data: { number, job } }) => {
  try {
    const made = await seal(await group, job, (done) => self.postMessage({ number, done }))
    self.postMessage({ number, made }, made.bodies.map((body) => body.buffer))
  } catch (error) {
    self.postMessage({ number, failed: error instanceof Error ? error.message : 'unknown' })
  }
})
