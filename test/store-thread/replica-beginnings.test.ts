/** Room for what a replica is about to read. */
import { expect, test } from 'bun:test'
import { mapBytesFor } from '../../lib/store-protocol/memory-budget.ts'
import { reserveFor } from '../../lib/store-thread/replica-beginnings.ts'
import { replicaFrom } from '../../lib/store-thread/replica.ts'
import type { StoreContext } from '../../lib/store-thread/store-context.ts'
import { createFixture } from '../support/map/map-pair.ts'

/** Bytes of the table, and what was asked of the memory, for a replica of so many offsets. */
function reserved(offsets: number, stated: number, fits = true) {
  const { map } = createFixture()
  const asked: number[] = []
  let open = 0
  const beginRestore = (bytes: number) => {
    asked.push(bytes)
    if (fits) open++
    return fits ? () => void open-- : undefined
  }
  const memory = { room: { beginRestore } } as unknown as StoreContext['memory']
  reserveFor({ map, memory }, 0, replicaFrom(undefined, 10, 10 + offsets), stated)
  expect(open).toBe(0)
  return { bytes: map.stats(0).indexBytes, asked }
}

test('a replica has a table for the entries that its partition probably has', () => {
  const least = reserved(0, 0).bytes
  const { bytes, asked } = reserved(200_000, 100_000)
  expect(asked).toEqual([mapBytesFor({ entries: 100_000, bytes: 0 })])
  expect(bytes).toBeGreaterThan(100_000 * 8)
  expect(bytes).toBeGreaterThan(least)
})

test('there is no table for more entries than the changelog has offsets, nor for one that does not fit', () => {
  const least = reserved(0, 0).bytes
  expect(reserved(0, 1_000_000)).toEqual({ bytes: least, asked: [] })
  expect(reserved(10, 1_000_000_000).asked).toEqual([mapBytesFor({ entries: 10, bytes: 0 })])
  expect(reserved(200_000, 100_000, false).bytes).toBe(least)
})
