import { expect, test } from 'bun:test'
import { type ConfirmedEnd, divergedAt } from '../../../lib/store-thread/repair/divergence.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { endOfEpochResponse } from '../../support/kafka/fakes/responses.ts'

interface Log {
  /** High watermark. */
  end: number
  /** Answers about leader epochs, in their order. */
  epochs?: { epoch: number; endOffset: number }[]
  leaderEpoch?: number
}

async function diverged(log: Log, written: number, confirmed?: ConfirmedEnd): Promise<number | undefined> {
  const fake = new FakeClient({ 0: 1 })
  fake.offsets.set(0, { earliest: 0, latest: log.end })
  if (log.leaderEpoch !== undefined) fake.leaderEpochs.set(0, log.leaderEpoch)
  const request = divergedAt(fake.client, 'changelog', 0, written, confirmed)
  for (const epoch of log.epochs ?? []) {
    ;(await fake.next()).answer(endOfEpochResponse('changelog', { partition: 0, ...epoch }))
  }
  return request
}

test('a log that ends at the written end, or later, shows no loss by its end', async () => {
  expect(await diverged({ end: 10 }, 10)).toBeUndefined()
  expect(await diverged({ end: 17 }, 10)).toBeUndefined()
})

test('a log has lost what is past its end', async () => {
  expect(await diverged({ end: 7 }, 10)).toBe(7)
  expect(await diverged({ end: 7, leaderEpoch: 3, epochs: [{ epoch: 3, endOffset: 8 }] }, 10)).toBe(8)
})

test('a log has lost nothing whose leader has more than its replicas have yet', async () => {
  expect(await diverged({ end: 7, leaderEpoch: 3, epochs: [{ epoch: 3, endOffset: 10 }] }, 10)).toBeUndefined()
})

test('a log that has grown again has lost what an earlier leader epoch no longer has', async () => {
  const grown = { end: 50, epochs: [{ epoch: 2, endOffset: 7 }] }
  expect(await diverged(grown, 10, { end: 10, epoch: 2 })).toBe(7)
  expect(await diverged(grown, 10, { end: 7, epoch: 2 })).toBeUndefined()
  expect(await diverged({ end: 50 }, 10, { end: 10, epoch: undefined })).toBeUndefined()
})
