/** What is done to the store and to the network before it. */
import { api, readFetchTopic } from '../integration/fault-support/wire.ts'
import type { networkFaults, storeFaults } from './fault-names.ts'
import type { Scene } from './scene.ts'

/** Shorter and longer than what a store takes for a moment, and than a broker's session. */
const silentMs = [200, 9_000] as const
const downMs = [0, 1_500] as const
const damageMs = 2_000

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
  /** Flips a bit in the records of the source: what a checksum is for. */
  async damage({ run, random }) {
    const { faults } = run.recorder
    const fetched = new Set<string>()
    faults.request = ({ apiKey, connection, correlationId, frame }) => {
      if (apiKey === api.fetch && isOf(frame, run.topic)) fetched.add(`${connection} ${correlationId}`)
    }
    faults.response = ({ request, connection, frame }) => {
      if (!fetched.has(`${connection} ${request?.correlationId}`) || frame.length < damagedBytesMin) return undefined
      const damaged = Buffer.from(frame)
      // The last record of the last batch.
      const at = damaged.length - 8 - random.below(8)
      damaged[at]! ^= 1
      return damaged
    }
    await Bun.sleep(damageMs)
    faults.request = undefined
    faults.response = undefined
  },
}

/** An empty answer has no records. */
const damagedBytesMin = 200

function isOf(frame: Buffer, topic: string): boolean {
  return readFetchTopic(frame) === topic
}
