import { expect, test } from 'bun:test'
import { type Marks, marksIn, withMarks } from '../../../lib/store-thread/recovery/marks.ts'
import { completenessMetadata, completenessOf, heldIn } from '../../../lib/topics/completeness.ts'
import { fingerprintIn, withFingerprint } from '../../../lib/topics/fingerprint.ts'

const marks: Marks = {
  sourceId: 'a-cdefghijklmnopqrst_w',
  sourceEpochs: '3@0,5@1200',
  changelogId: 'Abcdefghijklmnopqrstuw',
  changelogEpoch: 12,
}
const none: Marks = { sourceId: undefined, sourceEpochs: undefined, changelogId: undefined, changelogEpoch: undefined }
const stated = { changelogStart: 3, changelogEnd: 70 }

test('marks are stored with the other metadata of a commit', () => {
  const metadata = withFingerprint(withMarks(completenessMetadata(stated, { entries: 8, bytes: 9 }), marks), '0123abcd')
  expect(marksIn(metadata)).toEqual(marks)
  expect(completenessOf(metadata)).toEqual(stated)
  expect(heldIn(metadata)).toEqual({ entries: 8, bytes: 9 })
  expect(fingerprintIn(metadata)).toBe('0123abcd')
})

test('unknown values are omitted', () => {
  expect(withMarks(completenessMetadata(stated), { ...none, sourceEpochs: '' })).toBe(completenessMetadata(stated))
  expect(marksIn(completenessMetadata(stated))).toEqual(none)
})

test.each(['', 'latchkey/1 rebuilding', 'other source-id=a-cdefghijklmnopqrst_w', 'latchkey/1 source-id=short'])(
  'marksIn finds none in "%s"',
  (metadata) => {
    expect(marksIn(metadata)).toEqual(none)
  },
)
