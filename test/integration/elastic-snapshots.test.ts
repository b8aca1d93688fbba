/** An instance of a group begins with the snapshots that it has of the partitions it gets, and reads what follows them. */
import { expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { Fixture } from '../support/store/fixture.ts'
import { keyed, snapshotFolder } from '../support/store/snapshots.ts'
import { until } from '../support/until.ts'

const partitions = 4
const all = [0, 1, 2, 3]
const half = 2
/** Many more than what follows a snapshot. */
const keys = 4_000
const tail = 40

test('what a killed, stopped or lost instance had is restored from snapshots by each instance that gets its partitions', async () => {
  await using fixture = await Fixture.create({ partitions })
  using folders = new DisposableStack()
  const [one, other] = [folders.use(snapshotFolder()), folders.use(snapshotFolder())]
  const running: LatchkeyProcess[] = []
  const start = async ({ path }: { path: string }) => {
    const settings = {
      ...localPort,
      ELASTIC: 'true',
      STANDBYS: '0',
      SNAPSHOT_DIR: path,
      SNAPSHOT_SECONDS: '1',
      SOURCE_TOPIC: fixture.source,
      KAFKA_BROKERS: fixture.cluster.broker.bootstrap,
    }
    const instance = await LatchkeyProcess.start({ settings })
    running.push(instance)
    await instance.until('an instance is ready', () => instance.isReady())
    return instance
  }
  const detailsOf = async (instance: LatchkeyProcess) => (await instance.status(fixture.storeId))?.details ?? []
  const holds = async (instance: LatchkeyProcess, count: number) => {
    await instance.until(`an instance has ${count} partitions`, async () => {
      const details = await detailsOf(instance)
      return details.length === count && details.every(({ role, state }) => role === 'primary' && state === 'running')
    })
    return detailsOf(instance)
  }
  /** Waits until there is a snapshot of all that an instance holds, as it is now. */
  const saved = async (instance: LatchkeyProcess) => {
    const { ends } = await fixture.readChangelog()
    await instance.until('there are snapshots', async () => {
      const details = await detailsOf(instance)
      return details.every(({ partition, snapshot }) => (snapshot?.position ?? -1) >= ends.get(partition)!)
    })
  }
  const read = (instance: LatchkeyProcess) => instance.metric('latchkey_records_recovered_total')
  /** Keys that exist are found at an instance. */
  const findsAll = async (instance: LatchkeyProcess) => {
    const missing: string[] = []
    for (let i = 0; i < keys; i += 20) {
      const { status } = await instance.get(`/stores/${fixture.storeId}?key=key-${i}`)
      if (status !== 200) missing.push(`key-${i}: ${status}`)
    }
    expect(missing).toEqual([])
  }
  try {
    await fixture.produce(keyed(0, keys, (i) => `value ${i}`))
    const first = await start(one)
    await holds(first, partitions)
    await saved(first)
    const second = await start(other)
    for (const instance of [first, second]) await holds(instance, half)
    await saved(second)
    await fixture.produce(keyed(0, tail, () => 'newer'))

    // Killed: the other one gets its partitions, of which it has snapshots from when it was alone.
    const before = await read(first)
    const lost = new Set((await detailsOf(second)).map(({ partition }) => partition))
    await second.kill()
    const taken = (await holds(first, partitions)).filter(({ partition }) => lost.has(partition))
    expect(taken.map(({ snapshot }) => snapshot?.start)).toEqual(['used', 'used'])
    expect((await read(first)) - before).toBeLessThanOrEqual(tail)
    await findsAll(first)

    // It returns.
    const again = await start(other)
    const returned = await holds(again, half)
    expect(returned.map(({ snapshot }) => snapshot?.start)).toEqual(['used', 'used'])
    expect(await read(again)).toBeLessThanOrEqual(tail)
    await findsAll(again)

    // All stop, and one starts: it has snapshots of all.
    expect(await Promise.all([first.stop(), again.stop()])).toEqual([0, 0])
    const last = await start(one)
    const restarted = await holds(last, partitions)
    expect(restarted.map(({ snapshot }) => snapshot?.start)).toEqual(all.map(() => 'used'))
    expect(await read(last)).toBeLessThanOrEqual(tail)
    await findsAll(last)
    await until('the newest is shown', async () => {
      return (await (await last.get(`/stores/${fixture.storeId}?key=key-0`)).text()) === 'newer'
    })
  } finally {
    for (const instance of running) await instance.close()
  }
}, 150_000)
