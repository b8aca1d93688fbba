import { afterEach, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { LatchkeyError } from '../../lib/errors.ts'
import { CommittedBatches } from '../../lib/kafka/committed-batches.ts'
import type { FetchSink } from '../../lib/kafka/fetch-sink.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { answer, batch, start, stopFetchers } from '../support/kafka/fakes/fetcher-setup.ts'
import { rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { until } from '../support/until.ts'

afterEach(stopFetchers)

const body = gzipSync(Buffer.concat(Array.from({ length: 140 }, (_, i) => record(i, 1 << 20))), { level: 1 })

test('Fetcher delivers a batch too large to decompress at once in pieces, and what follows it once', async () => {
  const fake = new FakeClient()
  const { seen, passed, sink } = recordSink()
  start(fake, { 0: 0 }, sink)
  const records = [batch(0), batch(1, { attributes: 1, body, recordCount: 140 }), batch(141)]
  await answer(fake, { partition: 0, records: Buffer.concat(records) })
  await answer(fake) // to what was asked before that
  expect(await answer(fake, { partition: 0, records: records[2]! })).toEqual(['0@141'])
  await until('all are seen', () => seen.includes(141))
  expect(seen).toEqual(Array.from({ length: 142 }, (_, offset) => offset))
  expect(passed).toEqual([])
})

test('Fetcher skips the rest of an oversized batch whose records are missing, and continues after it', async () => {
  const fake = new FakeClient()
  const { seen, passed, sink } = recordSink()
  start(fake, { 0: 0 }, sink)
  const records = [batch(0, { attributes: 1, body, recordCount: 150 }), batch(150)]
  await answer(fake, { partition: 0, records: Buffer.concat(records) })
  await answer(fake)
  expect(await answer(fake, { partition: 0, records: records[1]! })).toEqual(['0@150'])
  await until('what follows is seen', () => seen.includes(150))
  expect(seen).toEqual([...Array.from({ length: 140 }, (_, offset) => offset), 150])
  expect(passed).toEqual([[150, expect.stringContaining('10 of them are missing')]])
})

test('Fetcher skips the rest of an oversized batch when a piece of it cannot be read, and continues after it', async () => {
  const fake = new FakeClient()
  const { seen, passed, sink } = recordSink()
  const received: FetchSink['received'] = (fetched, position) => {
    const isSecondPiece = seen.length > 0 && passed.length === 0
    if (isSecondPiece) throw new LatchkeyError('record_batch_corrupt', 'nonsense after the first piece')
    sink.received!(fetched, position)
  }
  start(fake, { 0: 0 }, { ...sink, received })
  const records = [batch(0, { attributes: 1, body, recordCount: 140 }), batch(140)]
  await answer(fake, { partition: 0, records: Buffer.concat(records) })
  await answer(fake)
  expect(await answer(fake, { partition: 0, records: records[1]! })).toEqual(['0@140'])
  await until('what follows is seen', () => seen.includes(140))
  expect(seen.length).toBeLessThan(140)
  expect(passed).toEqual([[140, expect.stringContaining('nonsense')]])
})

test('Fetcher continues with other partitions of a broker while it delivers an oversized batch, and delivers the next such batch after it', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { seen, sink } = recordSink()
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  let hasBegun = false
  const received: FetchSink['received'] = (fetched, position) => {
    sink.received!(fetched, position)
    isHeld = fetched.partition === 0
    hasBegun ||= isHeld
  }
  // Asked at once for what was given.
  const room = () => {
    const held = isHeld ? gate.promise : undefined
    isHeld = false
    return held
  }
  start(fake, { 0: 0, 1: 1_000 }, { ...sink, received, room })
  const large = (at: number) => batch(at, { attributes: 1, body, recordCount: 140 })
  await answer(fake, { partition: 0, records: large(0) }, { partition: 1, records: batch(1_000) })
  await until('a piece is given', () => hasBegun)
  await answer(fake)
  expect(await answer(fake, { partition: 1, records: large(1_001) })).toEqual(['1@1001'])
  await answer(fake)
  await until('the other one is seen', () => seen.includes(1_000))
  expect(seen).not.toContain(139)
  gate.resolve()
  await until('the first is seen', () => seen.includes(139))
  const asked = await answer(fake, { partition: 0, records: batch(140) }, { partition: 1, records: large(1_001) })
  expect(asked.toSorted()).toEqual(['0@140', '1@1001'])
  await until('the second is seen', () => seen.includes(1_140))
})

test('Fetcher skips the other pieces when the sink seeks within an oversized batch', async () => {
  const fake = new FakeClient()
  const { seen, sink } = recordSink()
  let left = false
  const leave = () => {
    if (!left && seen.length > 0) fetcher.remove(0)
    left = seen.length > 0
    return undefined
  }
  const { fetcher } = start(fake, { 0: 0 }, { ...sink, room: leave })
  const records = [batch(0, { attributes: 1, body, recordCount: 140 }), batch(140)]
  await answer(fake, { partition: 0, records: Buffer.concat(records) })
  await until('the first piece is seen', () => left)
  const first = seen.length
  fetcher.add(0, first)
  await answer(fake) // to what was asked before that
  expect(await answer(fake, { partition: 0, records: batch(first) })).toEqual([`0@${first}`])
  await until('what comes then is seen', () => seen.length > first)
  expect(seen).toEqual(Array.from({ length: first + 1 }, (_, offset) => offset))
  expect(first).toBeLessThan(140)
})

function record(offsetDelta: number, bytes: number): Buffer {
  return rawRecord({ offsetDelta, value: Buffer.alloc(bytes) })
}

/** Takes records once each; `seen` are their offsets. */
function recordSink() {
  const seen: number[] = []
  const passed: [number, string][] = []
  const batches = new CommittedBatches()
  const nexts = new Map<number, number>()
  const sink: Partial<FetchSink> = {
    received(fetched, position) {
      let next = nexts.get(fetched.partition) ?? 0
      batches.open(fetched, Math.max(position, next))
      while (batches.next() !== undefined) {
        batches.batch.openRecords({ checkCrc: true })
        while (batches.batch.nextRecord()) {
          if (batches.batch.offset < next) continue
          next = batches.batch.offset + 1
          seen.push(batches.batch.offset)
          nexts.set(fetched.partition, next)
        }
      }
    },
    passOver(partition, to, fault) {
      nexts.set(partition, to)
      passed.push([to, fault.message])
    },
  }
  return { seen, passed, sink }
}
