/** A producer that writes to the test, in batches that say all there is to know. */
import { type OutgoingBatch, Producer, type ProducerSink } from '../../../../lib/kafka/producer.ts'
import type { Exchange, FakeClient } from './fake-client.ts'
import { type ProduceAnswer, producedBatches, produceResponse } from './responses.ts'

/** A batch whose bytes say all there is to know: `name producer:epoch/sequence`. */
export class NamedBatch implements OutgoingBatch {
  readonly name: string
  readonly count: number
  readonly padding: number

  constructor(name: string, count = 1, padding = 0) {
    this.name = name
    this.count = count
    this.padding = padding
  }

  seal({ producerId, producerEpoch, baseSequence }: Parameters<OutgoingBatch['seal']>[0]): Buffer {
    return Buffer.from(`${this.name} ${producerId}:${producerEpoch}/${baseSequence}`.padEnd(this.padding))
  }
}

const open: Producer<NamedBatch>[] = []

/** For afterEach: ends what `start` began. */
export function stopProducers(): void {
  for (const producer of open.splice(0)) producer.stop()
}

export function start(fake: FakeClient, sink: Partial<ProducerSink<NamedBatch>> = {}, maxRequestBytes = 1 << 20) {
  const waiting = new Map<number, NamedBatch[]>()
  const events: string[] = []
  const producer = new Producer<NamedBatch>(fake.client, 'log', { acks: -1, timeoutMs: 100, maxRequestBytes })
  const write = (partition: number, ...batches: (string | NamedBatch)[]) => {
    const queue = waiting.get(partition) ?? []
    queue.push(...batches.map((batch) => (typeof batch === 'string' ? new NamedBatch(batch) : batch)))
    waiting.set(partition, queue)
    producer.wake()
  }
  const own = (partition: number, endOffset = 0) =>
    producer.own(partition, { producerId: 7, producerEpoch: 1 }, { offset: endOffset, isSure: endOffset >= 0 })
  for (const partition of fake.leading.keys()) own(partition)
  open.push(producer)
  const running = producer.run({
    next: (partition) => waiting.get(partition)?.shift(),
    acknowledged: (partition, { name }, baseOffset, foreign) =>
      void events.push(`${name} of ${partition} at ${baseOffset}${foreign ? ', foreign' : ''}`),
    refused: () => [],
    renew: async (_, { producerId, producerEpoch }) => ({ producerId, producerEpoch: producerEpoch + 1 }),
    wentBack: (partition, baseOffset) => void events.push(`${partition} went back to ${baseOffset}`),
    lost: (partition, { code }) => void events.push(`lost ${partition}: ${code}`),
    ...sink,
  })
  running.catch(() => {})
  return { producer, events, write, running }
}

/** What a request writes, as `partition: bytes`. */
export function written({ request }: Exchange): string[] {
  return producedBatches(request).map(({ partition, batch }) => `${partition}: ${batch.toString().trimEnd()}`)
}

/** Answers the next request; returns what it wrote. */
export async function answer(fake: FakeClient, ...answers: ProduceAnswer[]): Promise<string[]> {
  const exchange = await fake.next()
  exchange.answer(produceResponse('log', answers))
  return written(exchange)
}
