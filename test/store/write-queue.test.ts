import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { ToThread } from '../../lib/store-protocol/thread-messages.ts'
import { readFrame } from '../../lib/store-protocol/write-frame.ts'
import { WriteQueue, writesBytesMax, writesMax } from '../../lib/store/write-queue.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function setUp() {
  const sent: string[] = []
  const queue = new WriteQueue((message: ToThread, transfer) => {
    if (message.type !== 'write') throw new Error(message.type)
    expect(transfer).toEqual([message.records.buffer])
    const records: string[] = []
    const text = (start: number, length: number) =>
      new TextDecoder().decode(message.records.subarray(start, start + length))
    readFrame(message.records, (keyStart, keyLength, valueStart, valueLength) => {
      records.push(`${text(keyStart, keyLength)}=${valueLength < 0 ? null : text(valueStart, valueLength)}`)
    })
    sent.push(`${message.partition}: ${records.join(' ')}`)
  })
  return { queue, sent }
}

/** Whether promises are settled, and how. */
function watch(writes: Promise<void>[]): (string | undefined)[] {
  const outcomes: (string | undefined)[] = Array.from({ length: writes.length })
  for (const [index, write] of writes.entries()) {
    write.then(
      () => (outcomes[index] = 'written'),
      (error: LatchkeyError) => (outcomes[index] = error.code),
    )
  }
  return outcomes
}

describe('WriteQueue', () => {
  test('the writes of one turn are sent in one message per partition', async () => {
    const { queue, sent } = setUp()
    void queue.write(0, bytes('a'), bytes('1'))
    void queue.write(1, bytes('b'), null)
    void queue.write(0, bytes('c'), new Uint8Array())
    expect(sent).toEqual([])
    await Promise.resolve()
    expect(sent).toEqual(['0: a=1 c=', '1: b=null'])
    void queue.write(0, bytes('d'), bytes('4'))
    await Promise.resolve()
    expect(sent.at(-1)).toBe('0: d=4')
  })

  test('waiting writes are sent at once on request, and when they are large', async () => {
    const { queue, sent } = setUp()
    void queue.write(0, bytes('a'), bytes('1'))
    queue.send()
    expect(sent).toEqual(['0: a=1'])
    void queue.write(1, bytes('b'), new Uint8Array(2 << 20))
    expect(sent.length).toBe(2)
    await Promise.resolve()
    expect(sent.length).toBe(2)
  })

  test('writes are settled in the order of a partition, acknowledged or refused', async () => {
    const { queue } = setUp()
    const outcomes = watch([0, 1, 0, 0].map((partition) => queue.write(partition, bytes('a'), null)))
    queue.written(0, 1)
    queue.refused(0, 1, new LatchkeyError('fenced', 'because'))
    await Bun.sleep(0)
    expect(outcomes).toEqual(['written', undefined, 'fenced', undefined])
    queue.end(new LatchkeyError('stopping', 'because'))
    await Bun.sleep(0)
    expect(outcomes).toEqual(['written', 'stopping', 'fenced', 'stopping'])
  })

  test('no more writes wait than the bounds allow, except a single write of any size', async () => {
    const { queue } = setUp()
    const large = new Uint8Array(writesBytesMax)
    const first = queue.write(0, bytes('a'), large)
    expect(() => queue.write(0, bytes('b'), null)).toThrow('1 writes of 67108865 bytes wait for Kafka already')
    queue.written(0, 1)
    await first
    const writes = Array.from({ length: writesMax }, () => queue.write(0, bytes('a'), null))
    expect(() => queue.write(0, bytes('b'), null)).toThrow(LatchkeyError)
    queue.written(0, writesMax)
    await Promise.all(writes)
    void queue.write(0, bytes('b'), null)
  })
})
