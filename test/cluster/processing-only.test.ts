import { expect, test } from 'bun:test'
import { completeness, logOrder } from '../support/fault-run/invariants.ts'
import { readTopic } from '../support/fault-run/oracle.ts'
import { Workload } from '../support/fault-run/workload.ts'
import { answer, Instances } from '../support/instances/instances.ts'
import { agrees, Node } from '../support/instances/nodes.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

const processingOnly = { USE_PROCESSING_ONLY: 'true' }
const kills = 6

function numbered(from: number, to: number): Record<string, string | null> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index)
  return Object.fromEntries(
    numbers.map((number) => [`key-${number % 50}-${number}`, number % 7 ? `value ${number}` : null]),
  )
}

test('a processing only store writes the changelog, holds nothing and refuses lookups', async () => {
  await using instances = await Instances.create()
  await instances.write(numbered(0, 500))
  const store = await instances.openReady(processingOnly)
  await instances.write(numbered(500, 700))
  await until('all is written', async () => (await committed(instances)) >= 700)
  expect(await answer(store, 'key-1-1')).toBe('processing_only')
  expect(await answer(store, 'none')).toBe('processing_only')
  for (const { entries, totalBytes, state, lag } of store.status().details) {
    expect({ entries, totalBytes, state, lag }).toEqual({ entries: 0, totalBytes: 0, state: 'running', lag: 0 })
  }
  expect(store.stats.count('oplogLength')).toBe(0)
  await store.close()

  const reader = await instances.openReady({ USE_REPLICA_ONLY: 'true' })
  await instances.agrees(reader, [0, 1, 2])
})

test('a processing-only store reports from the start that it holds nothing', async () => {
  await using instances = await Instances.create()
  const store = instances.open(processingOnly)
  expect(await answer(store, 'key')).toBe('processing_only')
})

test('a processing-only store continues exactly where it was after a restart', async () => {
  await using instances = await Instances.create()
  for (let run = 0; run < 3; run++) {
    await instances.write(numbered(run * 100, run * 100 + 100))
    const store = await instances.openReady(processingOnly)
    await until('all is written', async () => (await committed(instances)) >= (run + 1) * 100)
    await store.close()
  }
  const { records } = await readTopic(instances.broker.direct, instances.changelog)
  const source = (await readTopic(instances.broker.direct, instances.source)).records
  const places = (all: { partition: number; offset: number }[]) =>
    all.map(({ partition, offset }) => `${partition}/${offset}`)
  expect(places(records.map(({ partition, src }) => ({ partition, offset: src })))).toEqual(places(source))
})

test('a processing-only store continues after a changelog whose tail has no source offsets', async () => {
  await using instances = await Instances.create({ partitions: 1 })
  await instances.write(numbered(0, 20))
  const first = await instances.openReady(processingOnly)
  await until('all is written', async () => (await committed(instances)) >= 20)
  await first.close()
  // More than what is looked at first.
  const foreign = Array.from({ length: 1_500 }, (_, number) => ({ key: `foreign-${number % 3}`, value: 'x' }))
  await instances.produce(instances.changelog, foreign)
  await instances.write(numbered(20, 40))
  await instances.openReady(processingOnly)
  await until('all is written', async () => (await committed(instances)) >= 40)
  const { records } = await readTopic(instances.broker.direct, instances.changelog)
  const own = records.filter(({ src }) => src >= 0).map(({ src }) => src)
  expect(own).toEqual(Array.from({ length: 40 }, (_, src) => src))
})

test(`a processing only instance loses nothing and repeats nothing when it is killed ${kills} times under load`, async () => {
  const broker = await sharedKafka()
  const random = Random.of('processing only')
  const topic = await createTopic(broker, uniqueName('processing'), { partitions: 3 })
  const workload = new Workload(broker.direct, topic, random)
  const node = new Node(broker, topic, processingOnly)
  const reader = new Node(broker, topic, { USE_REPLICA_ONLY: 'true' })
  try {
    workload.start()
    for (let kill = 0; kill < kills; kill++) {
      await node.start()
      if (kill % 3 > 0) await node.process.until('it is ready', () => node.process.isReady())
      await Bun.sleep(random.below(500))
      await node.process.kill()
    }
    await node.startReady()
    expect((await node.lookUp('key-1')).status).toBe(409)
    await workload.stop()
    await reader.startReady()
    await agrees(reader, broker, topic)
  } finally {
    await workload.close()
    await node.close()
    await reader.close()
  }
  const source = (await readTopic(broker.direct, topic)).records
  const changelog = await readTopic(broker.direct, `${topic}-changelog`)
  const history = { source, changelog, reads: [], acknowledgements: [], commits: [], instances: [], answers: new Map() }
  expect([...completeness(history), ...logOrder(history)].slice(0, 5)).toEqual([])
  // What a killed instance had written and not committed, its successor knows from the headers.
  expect(changelog.records.length).toBe(source.length)
})

async function committed(instances: Instances): Promise<number> {
  return (await instances.committed()).reduce((sum, offset) => sum + Math.max(offset, 0), 0)
}
