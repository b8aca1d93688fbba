/** The marker of the own fence, which may be read before the fence is answered. */
import { expect, test } from 'bun:test'
import type { RecordBatchReader } from '../../lib/kafka/record-batch/index.ts'
import { MarkerWait } from '../../lib/store-thread/marker-wait.ts'

const marker = (producerId: number, producerEpoch: number, nextOffset: number) =>
  ({ producerId, producerEpoch, nextOffset, maxTimestamp: 0 }) as RecordBatchReader

test.each(['before', 'after'])(
  'the own marker ends a replica when it is read %s the fence is answered',
  async (when) => {
    const wait = new MarkerWait()
    const fenced = () => wait.fenced(() => ({ producerId: 7, producerEpoch: 3 }))
    if (when === 'after') fenced()
    // Of an earlier owner, and of an earlier time of the same one.
    expect([wait.note(marker(6, 9, 10)), wait.note(marker(7, 2, 11))]).toEqual([false, false])
    expect(wait.note(marker(7, 3, 12))).toBe(when === 'after')
    if (when === 'before') fenced()
    await wait.found
    expect(wait.end).toMatchObject({ producerEpoch: 3, next: 12 })
  },
)

test('a marker of a second fence of the same owner ends a replica, too', () => {
  const wait = new MarkerWait()
  let producerEpoch = 3
  wait.fenced(() => ({ producerId: 7, producerEpoch }))
  producerEpoch = 4
  expect(wait.note(marker(7, 3, 12))).toBe(false)
  expect(wait.note(marker(7, 4, 13))).toBe(true)
  expect(wait.end!.next).toBe(13)
})
