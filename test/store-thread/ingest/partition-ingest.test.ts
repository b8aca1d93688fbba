import { expect, test } from 'bun:test'
import { ChangelogBatch } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'

function batch(nextSource: number): ChangelogBatch {
  const made = new ChangelogBatch(1000)
  made.nextSource = nextSource
  return made
}

/** As when the changelog acknowledged the batch taken longest ago. */
function settle(one: PartitionIngest, taken: ChangelogBatch | undefined): void {
  one.inFlight--
  one.advance(taken!.nextSource)
}

test('PartitionIngest begins idle, acknowledged up to its position', () => {
  expect(new PartitionIngest(3, 70)).toMatchObject({ partition: 3, consumed: 70, acknowledged: 70, isIdle: true })
})

test('PartitionIngest gives full batches, oldest first, then the open one, then none', () => {
  const one = new PartitionIngest(0, 0)
  const batches = [batch(1), batch(2), batch(3)]
  one.full.push(batches[0]!, batches[1]!)
  one.open = batches[2]
  expect([one.takeBatch(), one.takeBatch(), one.takeBatch(), one.takeBatch()]).toEqual([...batches, undefined])
  expect(one).toMatchObject({ open: undefined, inFlight: 3, isIdle: false })
})

test('PartitionIngest is acknowledged up to each batch when that is, and to all it has consumed with the last', () => {
  const one = new PartitionIngest(0, 0)
  one.full.push(batch(10))
  one.open = batch(20)
  one.consumed = 25 // skipped records behind the last batch
  const taken = [one.takeBatch(), one.takeBatch()]
  one.advance(one.acknowledged)
  expect(one.acknowledged).toBe(0)
  settle(one, taken[0])
  expect(one.acknowledged).toBe(10)
  settle(one, taken[1])
  expect(one.acknowledged).toBe(25)
})

test('PartitionIngest is acknowledged up to what it has consumed when nothing waits', () => {
  const one = new PartitionIngest(0, 5)
  one.consumed = 9
  one.advance(one.acknowledged)
  expect(one.acknowledged).toBe(9)
})

test('PartitionIngest never falls when a batch that carries no source offset is acknowledged', () => {
  const one = new PartitionIngest(0, 5)
  one.full.push(batch(0), batch(0))
  const taken = [one.takeBatch(), one.takeBatch()]
  settle(one, taken[0])
  expect(one.acknowledged).toBe(5)
})

test('PartitionIngest gives what was put back before all that waits, in its order', () => {
  const one = new PartitionIngest(0, 0)
  const batches = [batch(1), batch(2), batch(3)]
  one.full.push(...batches)
  const taken = [one.takeBatch()!, one.takeBatch()!]
  one.putBack(taken)
  expect(one.inFlight).toBe(0)
  expect([one.takeBatch(), one.takeBatch(), one.takeBatch()]).toEqual(batches)
})

test('PartitionIngest gives amendments alone while its own batches are withheld, and then these again', () => {
  const one = new PartitionIngest(0, 0)
  const [own, amendment] = [batch(1), batch(0)]
  one.full.push(own)
  expect(one.withhold()).toEqual([])
  expect(one.takeBatch()).toBeUndefined()
  one.amend(amendment)
  expect(one.amendmentsLeft).toBe(1)
  expect([one.takeBatch(), one.takeBatch()]).toEqual([amendment, undefined])
  one.release()
  expect(one.takeBatch()).toBe(own)
})

test('PartitionIngest gives nothing while dead letters are not acknowledged', () => {
  const one = new PartitionIngest(0, 0)
  one.full.push(batch(1))
  one.deadLetters = 1
  expect([one.takeBatch(), one.isIdle]).toEqual([undefined, false])
})
