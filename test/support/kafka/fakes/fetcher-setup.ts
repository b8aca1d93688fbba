/** A Fetcher over brokers that are the test, and what it asks them. */
import { CommittedBatches } from '../../../../lib/kafka/committed-batches.ts'
import type { FetchSink } from '../../../../lib/kafka/fetch-sink.ts'
import { Fetcher } from '../../../../lib/kafka/fetcher.ts'
import type { FetchOptions } from '../../../../lib/kafka/protocol/fetch.ts'
import { rawBatch, rawRecord } from '../record-batch/raw-batch.ts'
import type { FakeClient } from './fake-client.ts'
import { type FetchAnswer, fetchPositions, fetchResponse } from './responses.ts'

const options: FetchOptions = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 8000,
  partitionMaxBytes: 1000,
  isolation: 'read_committed',
  rack: '',
}

const open: Fetcher[] = []

/** Ends what start() has started; for afterEach. */
export function stopFetchers(): void {
  for (const fetcher of open.splice(0)) fetcher.stop()
}

/** `seen` is what the sink saw, in order: `partition@position: base offsets`. */
export function start(fake: FakeClient, positions: Record<number, number>, sink: Partial<FetchSink> = {}) {
  const seen: string[] = []
  const batches = new CommittedBatches()
  const fetcher = new Fetcher(fake.client, 'topic', options)
  for (const [partition, position] of Object.entries(positions)) fetcher.add(Number(partition), position)
  open.push(fetcher)
  const running = fetcher.run({
    received(fetched, position) {
      batches.open(fetched, position)
      const found: number[] = []
      while (batches.next() !== undefined) found.push(batches.batch.baseOffset)
      seen.push(`${fetched.partition}@${position}: ${found.join(' ')}`)
    },
    passOver: () => {},
    room: () => undefined,
    outOfRange: async () => undefined,
    ...sink,
  })
  return { fetcher, seen, running }
}

export function batch(at: number, fields: Parameters<typeof rawBatch>[0] = { records: [rawRecord({})] }): Buffer {
  return rawBatch({ baseOffset: BigInt(at), ...fields })
}

/** Answers the next request, and returns what it asked for as `partition@offset`. */
export async function answer(fake: FakeClient, ...answers: FetchAnswer[]): Promise<string[]> {
  const exchange = await fake.next()
  exchange.answer(fetchResponse('topic', answers))
  return asked(exchange.request)
}

export function asked(request: Parameters<typeof fetchPositions>[0]): string[] {
  return fetchPositions(request).map(({ partition, offset }) => `${partition}@${offset}`)
}
