import { expect, test } from 'bun:test'
import { encodeKeys, keyRecordBytes, KeysCursor } from '../../../lib/store-protocol/changed-keys.ts'
import { ChangelogParts, KeptPart, type PartWait } from '../../../lib/store/changes/changelog-parts.ts'

test('a part finds the records of some keys, in order of offsets', () => {
  const names = ['e', 'b', 'long enough for another size of record', 'a', '']
  const keys = names.map((name) => Buffer.from(name))
  const bytes = keys.reduce((sum, { length }) => sum + keyRecordBytes(length), 0)
  const records = encodeKeys(
    keys.map((key, index) => ({ key, changelogOffset: 10 + index, sourceOffset: index })),
    bytes,
  )
  const part = new KeptPart(1, { partition: 0, from: 10, to: 20, readAt: 1, deleteRetentionMs: 1, records })
  const cursor = new KeysCursor(part.keys)
  const offsets = part.placesOf(['', 'none', names[2]!, 'e']).map((place) => {
    cursor.seek(place)
    cursor.next()
    return cursor.changelogOffset
  })
  expect(offsets).toEqual([10, 12, 14])
})

test('a follower that waits for the next part as soon as it is woken gets it', () => {
  const asked: number[] = []
  const parts = new ChangelogParts((_, from) => asked.push(from))
  const found = (from: number) => {
    const keys = { partition: 0, from, to: from + 10, readAt: 1, deleteRetentionMs: 1, records: new Uint8Array() }
    parts.received(0, from, keys)
  }
  let woken = 0
  const waitFrom = (from: number): PartWait => {
    const next = () => {
      woken++
      parts.forget(wait)
      if (from < 20) parts.wait(waitFrom(from + 10))
    }
    const wait: PartWait = { partition: 0, from, to: 100, wake: next, state: 'waiting' }
    return wait
  }
  parts.wait(waitFrom(0))
  for (const from of [0, 10, 20]) found(from)
  expect([asked, woken]).toEqual([[0, 10, 20], 3])
})
