/**
 * Partitions come and go at full speed while two threads read them, over small segments, so that the memory of a removed
 * partition is used again at once. The checker (test/support/map/lives/reader.ts) is itself tested: it has to find each planted defect.
 */
import { expect, test } from 'bun:test'
import { runWorkers } from '../support/map/concurrency/run.ts'

test('readers find all of a partition or nothing of it when partitions come and go', async () => {
  const { faults, reads, changes } = await runWorkers('lives', 'none', 300)
  expect(faults).toEqual([])
  expect(reads).toBeGreaterThan(2_000)
  expect(changes).toBeGreaterThan(200)
  console.log(`partitions that come and go: ${reads} reads, ${changes} changes seen`)
})

for (const defect of ['does not wait', 'does not ask', 'takes one side'] as const) {
  test(`the checker finds a fault when a map whose partitions leave ${defect}`, async () => {
    const { faults } = await runWorkers('lives', defect, 1_000_000)
    expect(faults.length).toBeGreaterThan(0)
    console.log(`partitions that come and go: ${defect}: ${faults[0]}`)
  })
}
