import { expect, test } from 'bun:test'
import { completenessMetadata, completenessOf, entriesIn } from '../../lib/topics/completeness.ts'
import { fingerprintIn } from '../../lib/topics/fingerprint.ts'

test('completenessOf reads what completenessMetadata wrote', () => {
  for (const stated of [
    { changelogStart: 0, changelogEnd: 0 },
    { changelogStart: 17, changelogEnd: Number.MAX_SAFE_INTEGER },
  ]) {
    expect(completenessOf(completenessMetadata(stated))).toEqual(stated)
    const withEntries = completenessMetadata(stated, 250_000)
    expect(completenessOf(withEntries)).toEqual(stated)
    expect(completenessOf(`${withEntries} definition=0123abcd`)).toEqual(stated)
    expect(entriesIn(`${withEntries} definition=0123abcd`)).toBe(250_000)
  }
})

test('unknown fields are skipped, in any place', () => {
  const stated = 'later=1,2 changelog-start=5 source-id=a_-b= changelog-end=6 entries=7 changelog-epoch=3'
  const metadata = `latchkey/1 ${stated} definition=0123abcd more=x`
  expect(completenessOf(metadata)).toEqual({ changelogStart: 5, changelogEnd: 6 })
  expect(entriesIn(metadata)).toBe(7)
  expect(fingerprintIn(metadata)).toBe('0123abcd')
})

test.each([
  '',
  'some other tool',
  'latchkey/1 rebuilding',
  'latchkey/1 changelog-start=5 changelog-end=6 rebuilding',
  'latchkey/1 changelog-start=5',
  'latchkey/2 changelog-start=5 changelog-end=6',
  'latchkey/1 changelog-start=-1 changelog-end=6',
  'latchkey/1 changelog-start=5 changelog-end=6 and more',
  `latchkey/1 changelog-start=5 changelog-end=${'9'.repeat(30)}`,
])('completenessOf reads nothing when the metadata is "%s"', (metadata) => {
  expect(completenessOf(metadata)).toEqual({ changelogStart: -1, changelogEnd: -1 })
})

test.each([
  '',
  'latchkey/1 changelog-start=5 changelog-end=6',
  'latchkey/1 rebuilding',
  'latchkey/1 x entries=99999999999',
  'other entries=5',
])('entriesIn returns none when the metadata is "%s"', (metadata) => {
  expect(entriesIn(metadata)).toBe(0)
})
