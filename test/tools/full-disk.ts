/** Snapshots on a disk that is full, and one that is read-only. Needs root, to mount. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fillTopic } from '../bench/topics/filler.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, type KafkaBroker, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { runWell } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { until } from '../support/until.ts'

const commandTimeoutMs = 10_000
const timeoutMs = 120_000
const topic = uniqueName('disk')
const partitions = 4
/** They take 3 MiB each, in files of the log. */
const fewRecords = 50_000
const manyRecords = 200_000

let broker: KafkaBroker
let disk: string
let settings: Record<string, string>

beforeAll(async () => {
  broker = await sharedKafka()
  await createTopic(broker, topic, { partitions })
  await fill(fewRecords, 0)
  disk = join(temporaryFolder('disk'), 'mounted')
  await command('mkdir', disk)
  await command('mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk)
  settings = {
    SOURCE_TOPIC: topic,
    KAFKA_BROKERS: broker.bootstrap,
    SNAPSHOT_DIR: disk,
    SNAPSHOT_SECONDS: '1',
    ...localPort,
  }
}, timeoutMs)

afterAll(async () => {
  await command('umount', disk)
  rmSync(join(disk, '..'), { recursive: true })
})

function command(...words: readonly string[]): Promise<string> {
  return runWell(words, commandTimeoutMs)
}

async function fill(records: number, round: number): Promise<void> {
  await fillTopic(broker.bootstrap, { topic, partitions, records, keys: records, round, valueBytes: 170 })
}

async function started(): Promise<LatchkeyProcess> {
  const latchkey = await LatchkeyProcess.start({ settings })
  await latchkey.until('it is ready', () => latchkey.isReady())
  return latchkey
}

/** Entries of all partitions, and of their snapshots. */
async function counts(latchkey: LatchkeyProcess): Promise<{ held: number; saved: number; starts: string[] }> {
  const { details = [] } = (await latchkey.status(topic)) ?? {}
  return {
    held: details.reduce((sum, { entries }) => sum + entries, 0),
    saved: details.reduce((sum, { snapshot }) => sum + (snapshot?.entries ?? 0), 0),
    starts: details.map(({ snapshot }) => snapshot?.start ?? ''),
  }
}

test(
  'a full disk delays snapshots and nothing else',
  async () => {
    let store = await started()
    try {
      await store.until('there are snapshots', async () => (await counts(store)).saved === fewRecords)
      await fill(manyRecords, 1)
      await store.until('the disk is full', async () => (await store.metric('latchkey_snapshot_failures_total')) > 0)
      await store.until('everything is read', async () => (await counts(store)).held === manyRecords)
      expect(store.stderr).toContain('no space')
      expect((await store.get(`/stores/${topic}/user-${manyRecords - 1}`)).status).toBe(200)

      // What was written before is used.
      await store.kill()
      const former = store
      store = await started()
      await former.close()
      expect(await counts(store)).toMatchObject({
        held: manyRecords,
        starts: Array.from({ length: partitions }, () => 'used'),
      })
      expect(store.stderr).toMatch(/Recovered 200000 entries from a snapshot/)

      await command('mount', '-o', 'remount,size=256m', disk)
      await store.until('snapshots have everything', async () => (await counts(store)).saved === manyRecords)
      expect(await store.stop()).toBe(0)
    } finally {
      await store.close()
    }
  },
  timeoutMs,
)

test(
  'a store whose directory is read-only starts without snapshots, and says so',
  async () => {
    await command('mount', '-o', 'remount,ro', disk)
    const store = await started()
    try {
      await until('it has everything', async () => (await counts(store)).held === manyRecords)
      expect(store.stderr).toContain('The store runs without')
      expect(store.stderr).toMatch(/Recovered 200000 entries from \d+ changelog records/)
    } finally {
      await store.close()
    }
  },
  timeoutMs,
)
