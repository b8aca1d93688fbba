import { expect, test } from 'bun:test'
import { encodeKeys, keyRecordBytes, KeysCursor } from '../../../lib/store-protocol/changed-keys.ts'
import { KeptPart } from '../../../lib/store/changes/changelog-parts.ts'

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
