/** What is done to the store and to the network before it. */
import { api, readFetchTopic } from '../support/fault-run/wire.ts'
import type { networkFaults, storeFaults } from './fault-names.ts'
import type { Scene } from './scene.ts'

/** Shorter and longer than what a store takes for a moment, and than a broker's session. */
const silentMs = [200, 9_000] as const
const downMs = [0, 1_500] as const
const damageMs = 2_000
const damageApartMs = 400

type Act = (scene: Scene) => Promise<void>

export const storeActs: Record<(typeof storeFaults)[number], Act> = {
  async 'store-kill'(scene) {
    await scene.store.kill()
    await scene.pause(...downMs)
    await scene.store.start()
  },

  async 'store-silence'(scene) {
    const { process } = scene.run
    if (!process.isAlive) return
    process.signal('SIGSTOP')
    await scene.pause(...silentMs)
    process.signal('SIGCONT')
  },
}

export const networkActs: Record<(typeof networkFaults)[number], Act> = {
  /**
   * Changes a digit in the values of fetched source records, now and then: what a checksum is for. A batch that comes damaged several times in
   * a row counts as damaged in the log, and is skipped.
   */
  async damage({ run, random }) {
    const { faults } = run.recorder
    const names = await run.namesOf(run.topic)
    const fetched = new Set<string>()
    let damagedAt = Number.NEGATIVE_INFINITY
    faults.request = ({ apiKey, connection, correlationId, frame }) => {
      if (apiKey === api.fetch && names.has(readFetchTopic(frame))) fetched.add(`${connection} ${correlationId}`)
    }
    faults.response = ({ request, connection, frame }) => {
      if (!fetched.delete(`${connection} ${request?.correlationId}`)) return undefined
      const at = frame.indexOf(beforeDigits, random.below(frame.length))
      if (at < 0 || performance.now() - damagedAt < damageApartMs) return undefined
      damagedAt = performance.now()
      const damaged = Buffer.from(frame)
      damaged[at + beforeDigits.length]! ^= 1
      return damaged
    }
    await Bun.sleep(damageMs)
    faults.request = undefined
    faults.response = undefined
  },
}

/** In a value of the workload. */
const beforeDigits = '"n":'
