import { describe, expect, test } from 'bun:test'
import { keptReadersMax } from '../../lib/store-protocol/limits.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { KeptReader, type ReaderLender } from '../../lib/store/kept-reader.ts'

const key = new Uint8Array([1])
const found: Lookup = { value: new Uint8Array([2]), partition: 0, offset: 1, timestamp: 1 }

/** A store thread with so many readers to lend. */
class FakeLender implements ReaderLender {
  lent = 0
  readonly #found: Lookup | undefined

  constructor(lookup?: Lookup) {
    this.#found = lookup
  }

  lend() {
    if (this.lent === keptReadersMax) throw new Error('none is left')
    this.lent++
    return { get: () => this.#found, close: () => void this.lent-- }
  }
}

function readerOf(...lenders: FakeLender[]): KeptReader {
  return new KeptReader(
    () => lenders,
    (_, lookup) => lookup,
  )
}

describe('KeptReader', () => {
  test('each lender is asked in order, and lends once', () => {
    const lenders = [new FakeLender(), new FakeLender(found), new FakeLender()]
    const reader = readerOf(...lenders)
    expect([reader.get(key), reader.get(key)]).toEqual([found, found])
    expect(lenders.map(({ lent }) => lent)).toEqual([1, 1, 0])
  })

  test('all is given back when it is closed, once', () => {
    const lenders = [new FakeLender(), new FakeLender()]
    const reader = readerOf(...lenders)
    reader.get(key)
    reader.close()
    reader.close()
    expect(lenders.map(({ lent }) => lent)).toEqual([0, 0])
    expect(() => reader.get(key)).toThrow('Reading a key: the reader has been closed')
  })

  test('more can be had one after the other than there are at a time', () => {
    const lender = new FakeLender(found)
    for (let count = 0; count < 2 * keptReadersMax; count++) {
      using reader = readerOf(lender)
      expect(reader.get(key)).toEqual(found)
    }
    expect(lender.lent).toBe(0)
  })
})
