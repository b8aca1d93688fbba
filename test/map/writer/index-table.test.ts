import { expect, test } from 'bun:test'
import { Announcements } from '../../../lib/map/writer/announcements.ts'
import { IndexTable, tableBitsFor } from '../../../lib/map/writer/index-table.ts'
import { SegmentAllocator } from '../../../lib/map/writer/segment-allocator.ts'
import { createRandom } from '../../support/map/map-pair.ts'

const allocator = new SegmentAllocator(
  { segmentBytes: 4096, slabBytes: 65536, bytesMax: 1024 * 1024 },
  new Announcements(1, () => {}),
)

function insert(table: IndexTable, hash: number, address: number): void {
  let slot = hash >>> table.shift
  while (table.addressAt(slot) !== 0) slot = (slot + 1) & table.mask
  table.insertAt(slot, hash, address)
}

test('an index table finds its entries and no others when entries crowd around its end', () => {
  const random = createRandom(3)
  for (let round = 0; round < 200; round++) {
    let table = new IndexTable(5, allocator)
    const entries = new Map<number, number>()
    let address = 0
    for (let step = 0; step < 300; step++) {
      if (random(2) === 0 && entries.size < 22) {
        // Home slots 28 to 31 and 0 to 3 of 32.
        const hash = ((28 + random(8)) << 27) | random(1000)
        address++
        insert(table, hash, address)
        entries.set(address, hash)
      } else if (entries.size > 0) {
        const [removed, hash] = [...entries][random(entries.size)]!
        table.removeAt(table.slotOf(hash, removed))
        entries.delete(removed)
        expect(table.slotOf(hash, removed)).toBe(-1)
      }
      if (step === 150) table = table.rebuilt(round % 2 === 0 ? 5 : 6, allocator)
      expect(table.count).toBe(entries.size)
      for (const [known, hash] of entries) expect(table.addressAt(table.slotOf(hash, known))).toBe(known)
    }
  }
})

test('an index table is empty when it is made of used segments', () => {
  const used = new IndexTable(9, allocator)
  expect(used.run).toBeDefined()
  for (let i = 1; i < 300; i++) insert(used, i << 23, i)
  const first = used.run!.number
  used.free(allocator)
  const again = new IndexTable(9, allocator)
  expect(again.run!.number).toBe(first)
  expect(again.slots.every((word) => word === 0)).toBe(true)
})

test('the smallest table for a count holds that many', () => {
  for (const count of [0, 1, 100, 179, 180, 1_000_000]) {
    const bits = tableBitsFor(count)
    expect(Math.floor(2 ** bits * 0.7)).toBeGreaterThanOrEqual(count)
    if (bits > 1) expect(Math.floor(2 ** (bits - 1) * 0.7)).toBeLessThan(count)
  }
})
