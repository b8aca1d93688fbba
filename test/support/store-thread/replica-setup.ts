/** A replica over brokers that are the test. */
import { partitionStateOf } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { Changes } from '../../../lib/store-thread/changes/changes.ts'
import { Replicas } from '../../../lib/store-thread/replicas.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { FakeClient } from '../kafka/fakes/fake-client.ts'
import { fetchResponse } from '../kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../kafka/record-batch/raw-batch.ts'
import { createFixture } from '../map/map-pair.ts'
import { FakeChangelog } from '../store/fake-changelog.ts'
import { memoryStandIn } from './stand-ins.ts'

const offsetOutOfRange = 1

const open: { stop: () => void }[] = []

export function stopReplicas(): void {
  for (const one of open.splice(0)) one.stop()
}

/** A replica of partition 0, whose changelog has two records at first. */
export function startReplica() {
  const fake = new FakeClient({ 0: 1 })
  fake.offsets.set(0, { earliest: 0, latest: 2 })
  const { map, text } = createFixture()
  const stats = new Stats([0])
  let held: Promise<void> | undefined
  const flusher = {
    room: () => undefined,
    wrote: () => {},
    // As if all that is in the map was visible at once.
    progressed: () => {
      changes.began()
      changes.ended(0)
    },
    flush: async () => {
      await held
      await map.publish()
    },
  }
  const post = () => {}
  const changes = new Changes(stats, {
    bytes: 1 << 20,
    topicId: () => 'topic',
    log: new FakeChangelog(),
    post,
    flush: () => flusher.flush(),
    failed: post,
  })
  const { memory, hold: holdMemory } = memoryStandIn()
  const roles = { primaries: [] as number[], replicas: [0], notices: [] }
  const context = {
    config: { changelogTopic: 'changelog', keepHeaders: [] },
    clients: { replicas: fake.client, changelog: fake.client } as Clients,
    roles,
    map,
    stats,
    flusher,
    changes,
    memory,
    failed: (error: unknown) => {
      throw error
    },
  } as unknown as StoreContext
  const replicas = new Replicas(context)
  const running = replicas.run()
  running.catch(() => {})
  open.push(replicas)
  /** Answers the next Fetch with these batches, which end at an offset. */
  const deliver = async (records: Buffer, end: number) => {
    const answer = { partition: 0, records, lastStableOffset: end, highWatermark: end }
    ;(await fake.next()).answer(fetchResponse('changelog', [answer]))
  }
  /** Answers the next Fetch with one record for each value, from an offset on. */
  const fill = async (offset: number, ...values: string[]) => {
    const records = values.map((value, offsetDelta) => rawRecord({ offsetDelta, key: `k${offsetDelta}`, value }))
    await deliver(rawBatch({ baseOffset: BigInt(offset), records }), offset + values.length)
  }
  /** The changelog begins and ends elsewhere now. */
  const recreate = async (earliest: number, latest: number) => {
    fake.offsets.set(0, { earliest, latest })
    ;(await fake.next()).answer(fetchResponse('changelog', [{ partition: 0, errorCode: offsetOutOfRange }]))
  }
  const hold = () => {
    const flush = Promise.withResolvers<void>()
    held = flush.promise
    return flush.resolve
  }
  return {
    replicas,
    map,
    stats,
    roles,
    state: () => partitionStateOf(stats, 0),
    fill,
    deliver,
    recreate,
    hold,
    holdMemory,
    fake,
    text,
    publish: () => map.publish(),
  }
}
