/** A store that is killed again and again while it writes snapshots never shows or keeps anything that is wrong. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { FaultRun } from '../support/fault-run/fault-run.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { Random } from '../support/random.ts'

/** `SNAPSHOT_KILLS=100` is for a longer run. */
const kills = Number(process.env['SNAPSHOT_KILLS'] ?? 8)
const testTimeoutMs = 60_000 + kills * 8_000

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterAll(() => broker.close())

test(
  `map and changelog are right after ${kills} kills at any moment, with a snapshot each second`,
  async () => {
    const random = Random.of('snapshots-kill')
    const path = temporaryFolder('snapshots')
    const settings = { SNAPSHOT_DIR: path, SNAPSHOT_SECONDS: '1' }
    const run = await FaultRun.open(broker, random, { settings })
    const starts = new Map<string, number>()
    try {
      run.workload.start()
      run.reader.start()
      for (let kill = 0; kill < kills; kill++) {
        const store = await run.startReady()
        const { details } = (await store.status(run.topic))!
        for (const { snapshot } of details) starts.set(snapshot!.start, (starts.get(snapshot!.start) ?? 0) + 1)
        await Bun.sleep(500 + random.below(2_500))
        await store.kill()
      }
      await run.startReady()
      const { reads } = await run.verify()
      expect(reads.length).toBeGreaterThan(100)
      await run.verifyCompacted()
      const used = starts.get('used') ?? 0
      const all = [...starts.values()].reduce((sum, count) => sum + count, 0)
      console.log(`partitions began with: ${JSON.stringify(Object.fromEntries(starts))}`)
      // Else the test says nothing. The first start has no snapshot.
      expect(used / all).toBeGreaterThan(kills > 20 ? 0.8 : 0.5)
    } finally {
      await run.close()
      rmSync(path, { recursive: true, force: true })
    }
  },
  testTimeoutMs,
)
