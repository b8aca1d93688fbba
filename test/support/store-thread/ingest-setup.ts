/** An Ingest whose source and changelog are the test: see FakeClient. */
import { LatchkeyError } from '../../../lib/errors.ts'
import { EpochTrail } from '../../../lib/kafka/epoch-trail.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import type { FromThread } from '../../../lib/store-protocol/thread-messages.ts'
import { Changes } from '../../../lib/store-thread/changes/changes.ts'
import { Flusher } from '../../../lib/store-thread/flusher.ts'
import type { IngestContext } from '../../../lib/store-thread/ingest/ingest-context.ts'
import { Ingest } from '../../../lib/store-thread/ingest/ingest.ts'
import { KeptMemory } from '../../../lib/store-thread/snapshots/kept-memory.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { FakeClient } from '../kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse, producedBatches, produceResponse } from '../kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../kafka/record-batch/raw-batch.ts'
import { createFixture } from '../map/map-pair.ts'
import { FakeChangelog } from '../store/fake-changelog.ts'
import { memoryStandIn } from './stand-ins.ts'

const maxMessageBytes = 1 << 20
const unlimited = Number.MAX_SAFE_INTEGER

/** @param deadLetterTopic where bad records go; they are skipped where it is undefined */
export function ingesting(partitions: number, deadLetterTopic?: string, onBadRecord?: StoreConfig['onBadRecord']) {
  const primaries = Array.from({ length: partitions }, (_, partition) => partition)
  const led = Object.fromEntries(primaries.map((partition) => [partition, 1]))
  const [source, changelog, deadLetters] = [new FakeClient(led), new FakeClient(led), new FakeClient(led)]
  const { map, text } = createFixture({
    partitions: primaries,
    partitionCount: partitions,
    segmentBytes: 1 << 22,
    slabBytes: 1 << 24,
  })
  const stats = new Stats(primaries)
  const failures: unknown[] = []
  const failed = (error: unknown) => void failures.push(error)
  const flusher = new Flusher(map, stats, { count: 1000, seconds: 1000, failed })
  const lost: number[] = []
  const posted: FromThread[] = []
  const post = (message: FromThread) => void posted.push(message)
  const changes = new Changes(stats, {
    bytes: 1 << 20,
    topicId: () => 'topic',
    log: new FakeChangelog(),
    post,
    flush: () => flusher.flush(),
    failed,
  })
  flusher.watchBy(changes)
  const events = {
    beforeWrite: () => {},
    progressed: () => {},
    renew: () => Promise.reject(new LatchkeyError('fenced', 'Another instance has the partition')),
    lost: (partition: number) => void lost.push(partition),
    halted: () => {},
  } as unknown as IngestContext['events']
  const config = {
    sourceTopic: 'source',
    changelogTopic: 'changelog',
    storeId: 'store',
    deadLetterTopic,
    onBadRecord,
  } as StoreConfig
  const limits = {
    maxMessageBytes,
    timestampBeforeMaxMs: unlimited,
    timestampAfterMaxMs: unlimited,
    keepsTimestamps: true,
  }
  const { memory, hold } = memoryStandIn()
  const context = {
    config,
    definition: undefined,
    clients: { consumer: source.client, producer: changelog.client, deadLetters: deadLetters.client } as Clients,
    topology: {
      partitionCount: partitions,
      limits,
      deadLetters: deadLetterTopic && { name: deadLetterTopic, partitions: 1, maxMessageBytes },
    } as IngestContext['topology'],
    roles: { primaries, replicas: [], notices: [] },
    stats,
    map,
    flusher,
    changes,
    memory,
    keptMemory: new KeptMemory(post),
    snapshots: undefined,
    strangers: undefined,
    post,
    failed,
  }
  const ingest = new Ingest(context, events)
  for (const partition of primaries) {
    const start = { position: 0, epochs: new EpochTrail() }
    ingest.add(partition, start, { producerId: 7, producerEpoch: 1 }, { offset: 0, isSure: true })
    map.open(partition)
  }
  const running = ingest.run()
  running.catch(failed)
  const stop = () => {
    ingest.stop()
    flusher.stop()
  }
  return {
    ingest,
    source,
    changelog,
    deadLetters,
    stats,
    events,
    lost,
    posted,
    failures,
    map,
    text,
    flusher,
    hold,
    stop,
  }
}

/** Answers the next Fetch with `count` records of `bytes` bytes, from where it asks for that partition; returns the partitions that it asks for. */
export async function feed(source: FakeClient, partition: number, count: number, bytes = 3): Promise<number[]> {
  const exchange = await source.next()
  const asked = fetchPositions(exchange.request)
  const offset = asked.find((one) => one.partition === partition)?.offset ?? 0
  const value = Buffer.alloc(bytes, 'x')
  const records = Array.from({ length: count }, (_, offsetDelta) =>
    rawRecord({ offsetDelta, key: `k${offsetDelta}`, value }),
  )
  const batch = rawBatch({ baseOffset: BigInt(offset), records })
  exchange.answer(
    fetchResponse('source', [
      { partition, records: batch, lastStableOffset: offset + count, highWatermark: offset + count },
    ]),
  )
  return asked.map((one) => one.partition)
}

/** Answers the next Produce; returns the partitions that it writes. */
export async function acknowledge(changelog: FakeClient, errors: Record<number, number> = {}): Promise<number[]> {
  const exchange = await changelog.next()
  const partitions = producedBatches(exchange.request).map(({ partition }) => partition)
  const answers = partitions.map((partition) => ({ partition, errorCode: errors[partition] ?? 0, baseOffset: -1 }))
  exchange.answer(produceResponse('changelog', answers))
  return partitions
}
