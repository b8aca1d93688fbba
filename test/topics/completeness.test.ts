import { expect, test } from 'bun:test'
import { completenessMetadata, completenessOf, heldIn } from '../../lib/topics/completeness.ts'
import { fingerprintIn } from '../../lib/topics/fingerprint.ts'

test('completenessOf reads what completenessMetadata wrote', () => {
  for (const stated of [
    { changelogStart: 0, changelogEnd: 0 },
    { changelogStart: 17, changelogEnd: Number.MAX_SAFE_INTEGER },
  ]) {
    expect(completenessOf(completenessMetadata(stated))).toEqual(stated)
    for (const held of [
      { entries: 250_000, bytes: 52_000_000 },
      { entries: 4_000_000_000, bytes: 2 ** 49 },
    ]) {
      const withHeld = completenessMetadata(stated, held)
      expect(completenessOf(withHeld)).toEqual(stated)
      expect(completenessOf(`${withHeld} definition=0123abcd`)).toEqual(stated)
      expect(heldIn(`${withHeld} definition=0123abcd`)).toEqual(held)
    }
  }
})

test('unknown fields are skipped, in any place', () => {
  const stated = 'later=1,2 changelog-start=5 source-id=a_-b= changelog-end=6 entries=7 changelog-epoch=3'
  const metadata = `latchkey/1 ${stated} definition=0123abcd more=x`
  expect(completenessOf(metadata)).toEqual({ changelogStart: 5, changelogEnd: 6 })
  expect(heldIn(metadata)).toEqual({ entries: 7, bytes: 0 })
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
  'latchkey/1 entries=99999999999 bytes=9999999999999999',
  'latchkey/1 x entries=5 bytes=7',
  'latchkey/1 entries=-5 bytes=1e9',
  'other entries=5 bytes=7',
])('heldIn returns nothing when the metadata is "%s"', (metadata) => {
  expect(heldIn(metadata)).toEqual({ entries: 0, bytes: 0 })
})
