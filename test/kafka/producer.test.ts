import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { type OutgoingBatch, Producer, type ProducerSink } from '../../lib/kafka/producer.ts'
import { type Exchange, FakeClient, unreachable } from './fake-client.ts'
import { type ProduceAnswer, producedBatches, produceResponse } from './responses.ts'

/** A batch whose bytes say all there is to know: `name producer:epoch/sequence`. */
class NamedBatch implements OutgoingBatch {
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
afterEach(() => {
  for (const producer of open.splice(0)) producer.stop()
})

function start(fake: FakeClient, sink: Partial<ProducerSink<NamedBatch>> = {}, maxRequestBytes = 1 << 20) {
  const waiting = new Map<number, NamedBatch[]>()
  const events: string[] = []
  const producer = new Producer<NamedBatch>(
    fake.client,
    'log',
    { acks: -1, timeoutMs: 100, maxRequestBytes },
    {
      next: (partition) => waiting.get(partition)?.shift(),
      acknowledged: (partition, { name }, baseOffset, foreign) =>
        void events.push(`${name} of ${partition} at ${baseOffset}${foreign ? ', foreign' : ''}`),
      refused: () => [],
      renew: async (_, { producerId, producerEpoch }) => ({ producerId, producerEpoch: producerEpoch + 1 }),
      wentBack: (partition, baseOffset, end) => void events.push(`${partition} went back to ${baseOffset} from ${end}`),
      lost: (partition, { code }) => void events.push(`lost ${partition}: ${code}`),
      ...sink,
    },
  )
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
  const running = producer.run()
  running.catch(() => {})
  return { producer, events, write, running }
}

/** What a request writes, as `partition: bytes`. */
function written({ request }: Exchange): string[] {
  return producedBatches(request).map(({ partition, batch }) => `${partition}: ${batch.toString().trimEnd()}`)
}

/** Answers the next request; returns what it wrote. */
async function answer(fake: FakeClient, ...answers: ProduceAnswer[]): Promise<string[]> {
  const exchange = await fake.next()
  exchange.answer(produceResponse('log', answers))
  return written(exchange)
}

test('Producer writes in order and counts sequences by records when batches follow each other', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, new NamedBatch('a', 3), new NamedBatch('b', 2), 'c')
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(['0: a 7:1/0'])
  expect(await answer(fake, { partition: 0, baseOffset: 3 })).toEqual(['0: b 7:1/3'])
  expect(await answer(fake, { partition: 0, baseOffset: 5 })).toEqual(['0: c 7:1/5'])
  write(0, 'd')
  await fake.next()
  expect(events).toEqual(['a of 0 at 0', 'b of 0 at 3', 'c of 0 at 5'])
})

test('Producer puts partitions of one broker into one request, one batch each', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 2 })
  const { write } = start(fake)
  write(0, 'a', 'b')
  write(1, 'c')
  write(2, 'd')
  const requests = [await fake.next(), await fake.next()].toSorted((a, b) => a.node - b.node)
  expect(requests.map(written)).toEqual([['0: a 7:1/0', '1: c 7:1/0'], ['2: d 7:1/0']])
  expect(fake.unseen).toBe(0)
})

test('Producer writes the same bytes again, before anything else, when an answer was lost', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, 'a', 'b')
  const lost = await fake.next()
  lost.fail(unreachable())
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(written(lost))
  expect(await answer(fake, { partition: 0, baseOffset: 1 })).toEqual(['0: b 7:1/1'])
  write(0, 'c')
  await fake.next()
  expect(events).toEqual(['a of 0 at 0', 'b of 0 at 1'])
})

test.each([
  [19, 'NOT_ENOUGH_REPLICAS'],
  [6, 'NOT_LEADER_OR_FOLLOWER'],
  [7, 'REQUEST_TIMED_OUT'],
  [29, 'TOPIC_AUTHORIZATION_FAILED'],
])('Producer writes a batch again, and keeps the others of the request, when %d came, %s', async (errorCode) => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { events, write } = start(fake)
  write(0, 'a')
  write(1, 'b')
  await answer(fake, { partition: 0, errorCode }, { partition: 1, baseOffset: 0 })
  write(1, 'c')
  expect(await answer(fake, { partition: 0, baseOffset: 0 }, { partition: 1, baseOffset: 1 })).toEqual([
    '0: a 7:1/0',
    '1: c 7:1/1',
  ])
  write(0, 'd')
  await fake.next()
  expect(events).toEqual(['b of 1 at 0', 'a of 0 at 0', 'c of 1 at 1'])
})

test('Producer counts a batch as written when the broker says that it is a repeat', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, 'a', 'b')
  await answer(fake, { partition: 0, errorCode: 46 })
  expect(await answer(fake, { partition: 0, baseOffset: 9 })).toEqual(['0: b 7:1/1'])
  write(0, 'c')
  await fake.next()
  expect(events).toEqual(['a of 0 at -1', 'b of 0 at 9'])
})

test.each([47, 90])(
  'Producer gives up a partition, and it alone, when code %d says that another took it',
  async (code) => {
    const fake = new FakeClient({ 0: 1, 1: 1 })
    const { producer, events, write } = start(fake)
    write(0, 'a', 'b')
    write(1, 'c')
    await answer(fake, { partition: 0, errorCode: code }, { partition: 1, baseOffset: 0 })
    write(0, 'd')
    write(1, 'e')
    expect(await answer(fake, { partition: 1, baseOffset: 1 })).toEqual(['1: e 7:1/1'])
    expect(producer.owns(0)).toBe(false)
    expect(producer.identity(0)).toBeUndefined()
    expect(events).toEqual(['lost 0: fenced', 'c of 1 at 0', 'e of 1 at 1'])
  },
)

test('Producer writes what replaces a refused batch, in order, before the next batch', async () => {
  const fake = new FakeClient()
  const refused = (_: number, { name }: NamedBatch) =>
    name.length > 1 ? [...name].map((part) => new NamedBatch(part)) : []
  const { events, write } = start(fake, { refused })
  write(0, 'ab', 'c')
  expect(await answer(fake, { partition: 0, errorCode: 10 })).toEqual(['0: ab 7:1/0'])
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(['0: a 7:1/0'])
  expect(await answer(fake, { partition: 0, errorCode: 87 })).toEqual(['0: b 7:1/1'])
  expect(await answer(fake, { partition: 0, baseOffset: 1 })).toEqual(['0: c 7:1/1'])
  write(0, 'd')
  await fake.next()
  expect(events).toEqual(['a of 0 at 0', 'c of 0 at 1'])
})

test.each([45, 59])(
  'Producer takes a partition anew when code %d says that its sequence is not known',
  async (code) => {
    const fake = new FakeClient()
    const { events, write, producer } = start(fake)
    write(0, 'a', 'b')
    await answer(fake, { partition: 0, baseOffset: 0 })
    await answer(fake, { partition: 0, errorCode: code })
    expect(await answer(fake, { partition: 0, baseOffset: 2 })).toEqual(['0: b 7:2/0'])
    expect(producer.identity(0)).toEqual({ producerId: 7, producerEpoch: 2 })
    write(0, 'c')
    expect(written(await fake.next())).toEqual(['0: c 7:2/1'])
    // The marker of the new epoch lies between the two: nobody else has written.
    expect(events).toEqual(['a of 0 at 0', 'b of 0 at 2'])
  },
)

test('Producer gives up a partition when taking it anew finds that another has it', async () => {
  const fake = new FakeClient()
  const renew = () => Promise.reject(new LatchkeyError('fenced', 'taken'))
  const { events, write } = start(fake, { renew })
  write(0, 'a')
  await answer(fake, { partition: 0, errorCode: 45 })
  while (events.length === 0) await Bun.sleep(1)
  expect(events).toEqual(['lost 0: fenced'])
})

test('Producer takes partitions anew between two batches when told so', async () => {
  const fake = new FakeClient()
  const { producer, write } = start(fake)
  write(0, 'a', 'b')
  const first = await fake.next()
  producer.renewAll()
  first.answer(produceResponse('log', [{ partition: 0, baseOffset: 0 }]))
  expect(written(first)).toEqual(['0: a 7:1/0'])
  expect(written(await fake.next())).toEqual(['0: b 7:2/0'])
})

test('Producer says that another has written when a batch does not land where the last one ended', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { producer, events, write } = start(fake)
  producer.own(1, { producerId: 7, producerEpoch: 1 }, { offset: -1, isSure: false })
  write(0, 'a')
  write(1, 'x')
  await answer(fake, { partition: 0, baseOffset: 5 }, { partition: 1, baseOffset: 90 })
  write(0, 'b')
  write(1, 'y')
  await answer(fake, { partition: 0, baseOffset: 6 }, { partition: 1, baseOffset: 92 })
  write(0, 'c')
  await fake.next()
  expect(events).toEqual(['a of 0 at 5, foreign', 'x of 1 at 90', 'b of 0 at 6', 'y of 1 at 92, foreign'])
})

test('Producer splits what waits into requests within their bound, and sends a batch above it alone', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 1 })
  const { write } = start(fake, {}, 100)
  write(0, new NamedBatch('a', 1, 60))
  write(1, new NamedBatch('b', 1, 60))
  write(2, new NamedBatch('c', 1, 500))
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(['0: a 7:1/0'])
  expect(await answer(fake, { partition: 1, baseOffset: 0 })).toEqual(['1: b 7:1/0'])
  expect(await answer(fake, { partition: 2, baseOffset: 0 })).toEqual(['2: c 7:1/0'])
})

test('Producer lets no partition wait for ever when others always have more than a request takes', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const next = (partition: number) => new NamedBatch(`p${partition}`, 1, 60)
  const { producer } = start(fake, { next }, 100)
  producer.wake()
  const seen = new Set<number>()
  for (let round = 0; round < 10; round++) {
    const exchange = await fake.next()
    const partitions = producedBatches(exchange.request).map(({ partition }) => partition)
    for (const partition of partitions) seen.add(partition)
    exchange.answer(
      produceResponse(
        'log',
        partitions.map((partition) => ({ partition, baseOffset: 0 })),
      ),
    )
  }
  expect([...seen].toSorted()).toEqual([0, 1])
})

test('Producer writes the same bytes again when an answer cannot be read or leaves the partition out', async () => {
  const fake = new FakeClient()
  const { write } = start(fake)
  write(0, 'a')
  const first = await fake.next()
  first.answer(Buffer.from([0, 0]))
  const second = await fake.next()
  second.answer(produceResponse('log', []))
  expect(written(await fake.next())).toEqual(written(first))
})

test('Producer wraps its sequence to zero when it passes 2^31 - 1', async () => {
  const fake = new FakeClient()
  const { write } = start(fake)
  write(0, new NamedBatch('a', 2 ** 31 - 1), new NamedBatch('b', 3), 'c')
  await answer(fake, { partition: 0, baseOffset: 0 })
  expect(await answer(fake, { partition: 0, baseOffset: 2 ** 31 - 1 })).toEqual([`0: b 7:1/${2 ** 31 - 1}`])
  expect(written(await fake.next())).toEqual(['0: c 7:1/2'])
})

test('Producer tells when a batch lands before what had been written', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, new NamedBatch('a', 3), 'b')
  await answer(fake, { partition: 0, baseOffset: 10 })
  await answer(fake, { partition: 0, baseOffset: 0 })
  expect(events).toEqual(['a of 0 at 10, foreign', '0 went back to 0 from 13', 'b of 0 at 0, foreign'])
})
