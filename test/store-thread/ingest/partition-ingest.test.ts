import { expect, test } from 'bun:test'
import { BatchPool, ChangelogBatch } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'

function batch(nextSource: number): ChangelogBatch {
  const made = new ChangelogBatch(1000)
  made.coverTo(nextSource)
  return made
}

const pool = new BatchPool(1000, 4)

/** A batch of one record, opened by it. */
function append(state: PartitionIngest, nextSource: number): void {
  state.queue.append(Buffer.from(`k${nextSource}`), 0, 2, 0, -1, 0, nextSource - 1, nextSource)
}

/** As when the changelog acknowledged the batch taken longest ago. */
function settle(state: PartitionIngest, taken: ChangelogBatch | undefined): void {
  state.settle(taken!, 0)
}

test('PartitionIngest begins idle, acknowledged up to its position', () => {
  expect(new PartitionIngest(3, 70, pool)).toMatchObject({ partition: 3, consumed: 70, acknowledged: 70, isIdle: true })
})

test('PartitionIngest gives full batches, oldest first, then the open one, then none', () => {
  const state = new PartitionIngest(0, 0, pool)
  const full = [batch(1), batch(2)]
  for (const each of full) state.queue.push(each)
  append(state, 3)
  const { batches } = state.queue
  expect(batches.slice(0, 2)).toEqual(full)
  expect(batches[2]!.nextSource).toBe(3)
  expect([state.takeBatch(), state.takeBatch(), state.takeBatch(), state.takeBatch()]).toEqual([...batches, undefined])
  expect(state).toMatchObject({ queue: { hasOpen: false }, inFlight: 3, isIdle: false })
})

test('PartitionIngest is acknowledged up to each batch when that is, and to all it has consumed with the last', () => {
  const state = new PartitionIngest(0, 0, pool)
  state.queue.push(batch(10))
  append(state, 20)
  state.consumeTo(25) // skipped records after the last batch
  const taken = [state.takeBatch(), state.takeBatch()]
  state.advance()
  expect(state.acknowledged).toBe(0)
  settle(state, taken[0])
  expect(state.acknowledged).toBe(10)
  settle(state, taken[1])
  expect(state.acknowledged).toBe(25)
})

test('PartitionIngest is acknowledged up to what it has consumed when nothing waits', () => {
  const state = new PartitionIngest(0, 5, pool)
  state.consumeTo(9)
  state.advance()
  expect(state.acknowledged).toBe(9)
})

test('PartitionIngest never falls when a batch that carries no source offset is acknowledged', () => {
  const state = new PartitionIngest(0, 5, pool)
  for (const each of [batch(0), batch(0)]) state.queue.push(each)
  const taken = [state.takeBatch(), state.takeBatch()]
  settle(state, taken[0])
  expect(state.acknowledged).toBe(5)
})

test('PartitionIngest gives returned batches before waiting ones, in their order', () => {
  const state = new PartitionIngest(0, 0, pool)
  const batches = [batch(1), batch(2), batch(3)]
  for (const each of batches) state.queue.push(each)
  const taken = [state.takeBatch()!, state.takeBatch()!]
  state.putBack(taken)
  expect(state.inFlight).toBe(0)
  expect([state.takeBatch(), state.takeBatch(), state.takeBatch()]).toEqual(batches)
})

test('PartitionIngest gives amendments alone while its own batches are withheld, and then these again', () => {
  const state = new PartitionIngest(0, 0, pool)
  const [own, amendment] = [batch(1), batch(0)]
  state.queue.push(own)
  expect(state.withhold()).toEqual([])
  expect(state.takeBatch()).toBeUndefined()
  state.queue.amend(amendment)
  expect(state.amendmentsLeft).toBe(1)
  expect([state.takeBatch(), state.takeBatch()]).toEqual([amendment, undefined])
  state.queue.release()
  expect(state.takeBatch()).toBe(own)
})

test('PartitionIngest gives nothing while dead letters are not acknowledged', () => {
  const state = new PartitionIngest(0, 0, pool)
  state.queue.push(batch(1))
  state.deadLetters.add(0)
  expect([state.takeBatch(), state.isIdle]).toEqual([undefined, false])
})
