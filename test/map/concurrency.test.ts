/**
 * A writer thread and two reader threads at full speed over small segments, so that memory is reused all the time. The checker
 * (concurrency/history.ts) is itself tested: it has to find each planted defect.
 */
import { expect, test } from 'bun:test'
import { runWorkers } from '../support/map/concurrency/run.ts'

test('readers see whole, put, ever newer values when a writer publishes at full speed', async () => {
  const { faults, reads, changes } = await runWorkers('concurrency', 'none', 6000)
  expect(faults).toEqual([])
  expect(reads).toBeGreaterThan(10_000)
  expect(changes).toBeGreaterThan(1000)
  console.log(`concurrency: ${reads} reads, ${changes} changes seen`)
})

for (const defect of ['does not wait', 'does not ask', 'promises early'] as const) {
  test(`the checker finds a fault when the map ${defect}`, async () => {
    const { faults } = await runWorkers('concurrency', defect, 1_000_000)
    expect(faults.length).toBeGreaterThan(0)
    console.log(`concurrency: ${defect}: ${faults[0]}`)
  })
}
