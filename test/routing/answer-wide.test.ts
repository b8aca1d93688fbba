/** What an instance answers another one of many keys, while what it holds changes. */
import { expect, test } from 'bun:test'
import { answerWide } from '../../lib/routing/answer-wide.ts'
import type { CopyState } from '../../lib/store-protocol/copy-state.ts'
import { keyIn, primary, replica } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'

/** Returns the answer of a store for a key that it does not have, of a copy that changes while it is looked up. */
async function missOf(before: CopyState, after: CopyState, searched?: readonly number[]) {
  const store = new FakeEntries('mark')
  store.copies.set(1, before)
  store.onRead = () => void store.copies.set(1, after)
  const many = { type: 'many', keys: [Buffer.from(keyIn(1))], bytesMax: 100, ...(searched && { searched }) } as const
  const answer = await answerWide(store, many, { partitionCount: 4 })
  return answer.type === 'many' ? answer.results[0] : answer
}

test('of a copy that shows more after a miss, what it was before is said', async () => {
  const behind = { ...replica, lag: 3 }
  expect(await missOf(behind, replica)).toMatchObject({ type: 'missed', lag: 3 })
  expect(await missOf(behind, primary)).toMatchObject({ type: 'missed', lag: 3 })
  expect(await missOf({ ...primary, caughtUp: false }, primary)).toMatchObject({ type: 'missed', caughtUp: false })
})

test('a partition that is searched for keys is primary before and after it', async () => {
  expect(await missOf(primary, primary, [1])).toMatchObject({ type: 'missed', caughtUp: true })
  expect(await missOf({ ...primary, caughtUp: false }, primary, [1])).toMatchObject({ caughtUp: false })
  for (const [before, after] of [
    [primary, replica],
    [replica, primary],
  ] as const) {
    expect(await missOf(before, after, [1])).toMatchObject({ type: 'failed', error: { code: 'recovering' } })
  }
})
