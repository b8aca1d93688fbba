import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import type { ManyLookups } from '../../../lib/store-protocol/reads.ts'
import type { Lookup } from '../../../lib/store-protocol/status.ts'
import { SharedReads } from '../../../lib/store/changes/shared-reads.ts'

const keyOf = (text: string) => new TextEncoder().encode(text)

function setUp() {
  const content = new Map<string, Lookup | LatchkeyError>()
  const reads = { count: 0 }
  const find = (keys: readonly Uint8Array[]): ManyLookups => {
    reads.count++
    return { epoch: 7, results: keys.map((key) => content.get(new TextDecoder().decode(key))) }
  }
  const put = (key: string, bytes = 1) =>
    content.set(key, { value: new Uint8Array(bytes), partition: 0, offset: 0, timestamp: 0 })
  return { content, reads, find, put, shared: new SharedReads({ getMany: find }) }
}

describe('SharedReads', () => {
  test('all followers get the same value of a key, which is read once for each publish', () => {
    const { content, reads, put, shared } = setUp()
    put('a')
    const [first] = (shared.getMany([keyOf('a')], 100) as ManyLookups).results
    const again = shared.getMany([keyOf('a')], 100) as ManyLookups
    expect(again.results[0]).toBe(first)
    expect(reads.count).toBe(1)
    content.delete('a')
    shared.forget()
    expect((shared.getMany([keyOf('a'), keyOf('b')], 100) as ManyLookups).results).toEqual([undefined, undefined])
    expect((shared.getMany([keyOf('b')], 100) as ManyLookups).results).toEqual([undefined])
    expect(reads.count).toBe(2)
  })

  test('a read that began before a publish is not kept after it', async () => {
    const { find, put } = setUp()
    const { promise, resolve } = Promise.withResolvers<void>()
    let isLate = true
    const getMany = (keys: readonly Uint8Array[]) => (isLate ? promise.then(() => find(keys)) : find(keys))
    const shared = new SharedReads({ getMany })
    put('a')
    const late = shared.getMany([keyOf('a')], 100)
    isLate = false
    shared.forget()
    resolve()
    const [former] = (await late).results
    put('a')
    expect((shared.getMany([keyOf('a')], 100) as ManyLookups).results[0]).not.toBe(former!)
  })

  test('a value that one follower has got newer is not given to it older again', () => {
    const { put, shared } = setUp()
    const read = (...keys: string[]) => (shared.getMany(keys.map(keyOf), 100) as ManyLookups).results
    put('a')
    read('a')
    put('a')
    const [newer] = read('a', 'b')
    expect(read('a')[0]).toBe(newer)
  })

  test('what is beyond the bytes asked for, an error, or too much to keep is read again', () => {
    const { content, reads, put, shared } = setUp()
    put('a', 60)
    put('b', 60)
    put('large', 5_000_000)
    content.set('e', new LatchkeyError('answer_full', 'Full'))
    const ask = (...keys: string[]) => shared.getMany(keys.map(keyOf), 100) as ManyLookups
    ask('a')
    ask('b')
    expect(reads.count).toBe(2)
    ask('a', 'b')
    expect(reads.count).toBe(3)
    for (const key of ['e', 'large']) {
      ask(key)
      ask(key)
    }
    expect(reads.count).toBe(7)
  })
})
