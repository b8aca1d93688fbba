/** What callbacks make of former values is exact where instances of a group are killed while they write. */
import { expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { Workload } from '../support/fault-run/workload.ts'
import { Random } from '../support/random.ts'
import { counted, counting } from '../support/store/counted.ts'
import { Fixture } from '../support/store/fixture.ts'

/** More of them: `LATCHKEY_KILLS=10`. */
const kills = Number(process.env['LATCHKEY_KILLS'] ?? 2)
const testTimeoutMs = 60_000 + kills * 15_000

test(
  'counts of updates are exact when instances of a group are killed while others take over',
  async () => {
    const random = Random.of('elastic kills')
    await using fixture = await Fixture.create({ partitions: 4 })
    const workload = new Workload(fixture.cluster.broker.direct, fixture.source, random, {
      keys: 40,
      recordsPerSend: 30,
    })
    const settings = {
      ...localPort,
      ELASTIC: 'true',
      SOURCE_TOPIC: fixture.source,
      KAFKA_BROKERS: fixture.cluster.broker.bootstrap,
      STORE_MODULE: fileURLToPath(counting.module),
    }
    const start = async () => {
      const instance = await LatchkeyProcess.start({ settings })
      await instance.until('an instance is ready', () => instance.isReady())
      return instance
    }
    const instances = [await start(), await start()]
    try {
      workload.start()
      for (let kill = 0; kill < kills; kill++) {
        await Bun.sleep(random.below(1_000))
        const [victim] = instances.splice(random.below(2), 1)
        await victim!.kill()
        await victim!.close()
        instances.push(await start())
      }
      await workload.stop()
      // The group is empty then, so a store with partitions of its own may read what it has left.
      expect(await Promise.all(instances.map((instance) => instance.stop()))).toEqual([0, 0])
    } finally {
      await workload.close()
      for (const instance of instances) await instance.close()
    }
    const store = fixture.open(counting)
    await fixture.quiet(store)
    const expected = counted((await fixture.readSource()).records)
    const wrong: string[] = []
    for (const key of workload.keys) {
      const value = await fixture.value(store, key)
      if (value !== expected.get(key)) wrong.push(`${key}: ${value}, expected ${expected.get(key)}`)
    }
    expect(wrong).toEqual([])
  },
  testTimeoutMs,
)
