import { heapStats } from 'bun:jsc'
import { expect, test } from 'bun:test'
import { createFixture } from '../../support/map/map-pair.ts'

const lookups = 50_000
/** Four of them make a heap of which tens of megabytes of garbage are a small part, in the engine's eyes. */
const slabBytes = 64 << 20
const valueBytes = 170

test('garbage of lookups is collected soon, for any size of the map', async () => {
  const held = Array.from({ length: 4 }, () => new Uint8Array(new SharedArrayBuffer(slabBytes)))
  const fixture = createFixture()
  fixture.put(0, 'key', 'x'.repeat(valueBytes))
  await fixture.openAll()
  const before = arrays()
  let most = 0
  for (let i = 1; i <= lookups; i++) {
    expect(fixture.get('key')!.value.length).toBe(valueBytes)
    if (i % 1000 === 0) most = Math.max(most, arrays() - before)
  }
  expect(held.length).toBe(4)
  expect(most).toBeLessThan(lookups / 5)
})

/** Those that have not been collected, dead or alive. */
function arrays(): number {
  return heapStats().objectTypeCounts['Uint8Array'] ?? 0
}
