import { expect, test } from 'bun:test'
import { BatchPool, ChangelogBatch } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'

function batch(nextSource: number): ChangelogBatch {
  const made = new ChangelogBatch(1000)
  made.nextSource = nextSource
  return made
}

const pool = new BatchPool(1000, 4)

/** A batch of one record, opened by it. */
function append(one: PartitionIngest, nextSource: number): void {
  one.queue.append(Buffer.from(`k${nextSource}`), 0, 2, 0, -1, 0, nextSource - 1, nextSource)
}

/** As when the changelog acknowledged the batch taken longest ago. */
function settle(one: PartitionIngest, taken: ChangelogBatch | undefined): void {
  one.settle(taken!, 0)
}

test('PartitionIngest begins idle, acknowledged up to its position', () => {
  expect(new PartitionIngest(3, 70, pool)).toMatchObject({ partition: 3, consumed: 70, acknowledged: 70, isIdle: true })
})

test('PartitionIngest gives full batches, oldest first, then the open one, then none', () => {
  const one = new PartitionIngest(0, 0, pool)
  const full = [batch(1), batch(2)]
  for (const each of full) one.queue.push(each)
  append(one, 3)
  const { batches } = one.queue
  expect(batches.slice(0, 2)).toEqual(full)
  expect(batches[2]!.nextSource).toBe(3)
  expect([one.takeBatch(), one.takeBatch(), one.takeBatch(), one.takeBatch()]).toEqual([...batches, undefined])
  expect(one).toMatchObject({ queue: { hasOpen: false }, inFlight: 3, isIdle: false })
})

test('PartitionIngest is acknowledged up to each batch when that is, and to all it has consumed with the last', () => {
  const one = new PartitionIngest(0, 0, pool)
  one.queue.push(batch(10))
  append(one, 20)
  one.consumeTo(25) // skipped records behind the last batch
  const taken = [one.takeBatch(), one.takeBatch()]
  one.advance()
  expect(one.acknowledged).toBe(0)
  settle(one, taken[0])
  expect(one.acknowledged).toBe(10)
  settle(one, taken[1])
  expect(one.acknowledged).toBe(25)
})

test('PartitionIngest is acknowledged up to what it has consumed when nothing waits', () => {
  const one = new PartitionIngest(0, 5, pool)
  one.consumeTo(9)
  one.advance()
  expect(one.acknowledged).toBe(9)
})

test('PartitionIngest never falls when a batch that carries no source offset is acknowledged', () => {
  const one = new PartitionIngest(0, 5, pool)
  for (const each of [batch(0), batch(0)]) one.queue.push(each)
  const taken = [one.takeBatch(), one.takeBatch()]
  settle(one, taken[0])
  expect(one.acknowledged).toBe(5)
})

test('PartitionIngest gives what was put back before all that waits, in its order', () => {
  const one = new PartitionIngest(0, 0, pool)
  const batches = [batch(1), batch(2), batch(3)]
  for (const each of batches) one.queue.push(each)
  const taken = [one.takeBatch()!, one.takeBatch()!]
  one.putBack(taken)
  expect(one.inFlight).toBe(0)
  expect([one.takeBatch(), one.takeBatch(), one.takeBatch()]).toEqual(batches)
})

test('PartitionIngest gives amendments alone while its own batches are withheld, and then these again', () => {
  const one = new PartitionIngest(0, 0, pool)
  const [own, amendment] = [batch(1), batch(0)]
  one.queue.push(own)
  expect(one.withhold()).toEqual([])
  expect(one.takeBatch()).toBeUndefined()
  one.queue.amend(amendment)
  expect(one.amendmentsLeft).toBe(1)
  expect([one.takeBatch(), one.takeBatch()]).toEqual([amendment, undefined])
  one.queue.release()
  expect(one.takeBatch()).toBe(own)
})

test('PartitionIngest gives nothing while dead letters are not acknowledged', () => {
  const one = new PartitionIngest(0, 0, pool)
  one.queue.push(batch(1))
  one.deadLetters.add(0)
  expect([one.takeBatch(), one.isIdle]).toEqual([undefined, false])
})
