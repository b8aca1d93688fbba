import { expect, test } from 'bun:test'
import { answer, answersWith, detailOf, Instances, isReady } from '../support/instances/instances.ts'
import { createTopic, kafkaClient, uniqueName } from '../support/kafka/index.ts'
import { until } from '../support/until.ts'

function numbered(count: number, value = 'first'): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`key-${number}`, `${value} ${number}`]))
}

test('a replica follows what the primary instance writes and deletes, in both directions', async () => {
  await using instances = await Instances.create({ partitions: 4 })
  await instances.write(numbered(60))
  const first = await instances.openReady({ PARTITIONS: '0,1', PARTITIONS_REPLICA: '2' })
  const second = await instances.openReady({ PARTITIONS: '2,3', PARTITIONS_REPLICA: '0,1' })
  await instances.agrees(first, [0, 1, 2])
  await instances.agrees(second, [0, 1, 2, 3])
  const changes = Object.entries(numbered(60, 'second')).map(([key, value], index) => [key, index % 3 ? value : null])
  await instances.write(Object.fromEntries(changes))
  await instances.agrees(first, [0, 1, 2])
  await instances.agrees(second, [0, 1, 2, 3])
  await instances.write(numbered(60, 'third'))
  await instances.agrees(first, [0, 1, 2])
  await instances.agrees(second, [0, 1, 2, 3])

  expect(first.status().partitions).toEqual({ primary: [0, 1], replicas: [2] })
  for (const partition of [0, 1, 2, 3]) {
    await until('it is level', () => detailOf(second, partition).lag === 0)
    const [key = ''] = instances.keysOf(partition, 1)
    const found = await second.get(Buffer.from(key))
    expect([partition, found?.replicaLag]).toEqual([partition, partition < 2 ? 0 : undefined])
    expect(found!.offset).toBeGreaterThanOrEqual(0)
  }
  expect(detailOf(second, 0).position).toBe((await instances.ends(instances.changelog))[0]!)
})

test('a replica-only store copies the changelog without a source, a group or writes', async () => {
  await using instances = await Instances.create()
  await instances.write({ ...numbered(30), 'key-1': null })
  const primary = await instances.openReady()
  await instances.agrees(primary, [0, 1, 2])
  await primary.close()
  const before = { ends: await instances.ends(instances.changelog), committed: await instances.committed() }

  const storeId = uniqueName('replica')
  const replica = await instances.openReady({
    USE_REPLICA_ONLY: 'true',
    SOURCE_TOPIC: '',
    STORE_ID: storeId,
    CHANGELOG_TOPIC: instances.changelog,
  })
  await instances.agrees(replica, [0, 1, 2])
  expect(replica.status().partitions).toEqual({ primary: [], replicas: [0, 1, 2] })
  await replica.flush()
  await replica.close()
  expect({ ends: await instances.ends(instances.changelog), committed: await instances.committed() }).toEqual(before)
  expect(await groups(instances)).not.toContain(storeId)
})

test('a replica-only store fails with advice when there is nothing to copy', async () => {
  await using instances = await Instances.create()
  const store = instances.open({ USE_REPLICA_ONLY: 'true' })
  const { code, message } = await store.failed
  expect(code).toBe('topics_unfit')
  expect(message).toContain(`${instances.changelog} does not exist`)
  expect(message).toContain('start the instance that writes it first')
})

test('a replica keeps nothing of a changelog that was recreated and fills from the new one', async () => {
  await using instances = await Instances.create()
  await instances.write(numbered(60))
  const primary = await instances.openReady()
  await instances.agrees(primary, [0, 1, 2])
  await primary.close()
  const replica = await instances.openReady({ USE_REPLICA_ONLY: 'true' })
  await instances.agrees(replica, [0, 1, 2])

  await recreateChangelog(instances)
  const [[kept = ''], [gone = '']] = [instances.keysOf(0, 1), instances.keysOf(1, 1)]
  await instances.produce(instances.changelog, [
    { key: kept, value: 'again' },
    { key: 'new', value: 'new' },
  ])
  await answersWith(replica, kept, 'again')
  await answersWith(replica, gone, 'key_not_found')
  await answersWith(replica, 'new', 'new')
  await until('all have filled', () => replica.status().details.every(({ state }) => state === 'running'))
  for (const key of Object.keys(numbered(60))) {
    expect([key, await answer(replica, key)]).toEqual([key, key === kept ? 'again' : 'key_not_found'])
  }
  await until('both are counted', () => replica.status().details.reduce((sum, one) => sum + one.entries, 0) === 2)
  expect(isReady(replica)).toBe(true)
})

test('a replica follows a changelog whose primary discards and rebuilds, since its source was recreated', async () => {
  await using instances = await Instances.create()
  await instances.write(numbered(60))
  const primary = await instances.openReady()
  const replica = await instances.openReady({ USE_REPLICA_ONLY: 'true' })
  await instances.agrees(replica, [0, 1, 2])
  await primary.close()
  await recreate(instances, instances.source, {})
  await instances.write({ 'key-7': 'again' })
  await instances.openReady()
  await answersWith(replica, 'key-7', 'again')
  await until('the others are deleted', () => replica.status().details.reduce((sum, one) => sum + one.entries, 0) === 1)
  await instances.agrees(replica, [0, 1, 2])
})

async function groups(instances: Instances): Promise<string[]> {
  const admin = kafkaClient({ bootstrap: instances.broker.direct }).admin()
  await admin.connect()
  try {
    return (await admin.listGroups()).groups.map(({ groupId }) => groupId)
  } finally {
    await admin.disconnect()
  }
}

function recreateChangelog(instances: Instances): Promise<void> {
  return recreate(instances, instances.changelog, { 'cleanup.policy': 'compact' })
}

async function recreate(instances: Instances, topic: string, config: Record<string, string>): Promise<void> {
  const admin = kafkaClient({ bootstrap: instances.broker.direct }).admin()
  await admin.connect()
  try {
    await admin.deleteTopics({ topics: [topic] })
    await until('it is deleted', async () => !(await admin.listTopics()).includes(topic))
  } finally {
    await admin.disconnect()
  }
  await createTopic(instances.broker, topic, { partitions: instances.partitions, config })
}
