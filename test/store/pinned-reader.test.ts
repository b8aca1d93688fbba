import { describe, expect, test } from 'bun:test'
import { pinnedReadersMax } from '../../lib/store-protocol/limits.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { PinnedReader, type ReaderSource } from '../../lib/store/pinned-reader.ts'

const key = new Uint8Array([1])
const found: Lookup = { value: new Uint8Array([2]), partition: 0, offset: 1, timestamp: 1 }

/** A store thread with a number of readers to pin. */
class FakeSource implements ReaderSource {
  pinned = 0
  readonly #found: Lookup | undefined

  constructor(lookup?: Lookup) {
    this.#found = lookup
  }

  pin() {
    if (this.pinned === pinnedReadersMax) throw new Error('none is left')
    this.pinned++
    return { get: () => this.#found, close: () => void this.pinned-- }
  }
}

function readerOf(...sources: FakeSource[]): PinnedReader {
  return new PinnedReader(
    () => sources,
    (asked, find) => find(asked),
  )
}

describe('PinnedReader', () => {
  test('each source is asked in order, and pins once', () => {
    const sources = [new FakeSource(), new FakeSource(found), new FakeSource()]
    const reader = readerOf(...sources)
    expect([reader.get(key), reader.get(key)]).toEqual([found, found])
    expect(sources.map(({ pinned }) => pinned)).toEqual([1, 1, 0])
  })

  test('all readers are unpinned when it is closed, once', () => {
    const sources = [new FakeSource(), new FakeSource()]
    const reader = readerOf(...sources)
    reader.get(key)
    reader.close()
    reader.close()
    expect(sources.map(({ pinned }) => pinned)).toEqual([0, 0])
    expect(() => reader.get(key)).toThrow('Reading a key: the reader has been closed')
  })

  test('more can be pinned in sequence than at a time', () => {
    const source = new FakeSource(found)
    for (let count = 0; count < 2 * pinnedReadersMax; count++) {
      using reader = readerOf(source)
      expect(reader.get(key)).toEqual(found)
    }
    expect(source.pinned).toBe(0)
  })
})
