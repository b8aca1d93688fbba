import { expect, test } from 'bun:test'
import { AbsentKeys } from '../../../lib/store-thread/repair/absent-keys.ts'
import { batchOf, type Entry } from '../../support/store-thread/repair-setup.ts'

function note(absent: AbsentKeys, ...entries: Entry[]): void {
  const batch = batchOf(...entries)
  while (batch.nextRecord()) absent.note(batch)
}

function holding(...keys: string[]): (key: Uint8Array, start: number, length: number) => boolean {
  return (key, start, length) => keys.includes(Buffer.from(key).toString('latin1', start, start + length))
}

function taken(absent: AbsentKeys): string[] {
  return absent.takeKeys().map((key) => key.toString('latin1'))
}

test('AbsentKeys gives each key once that has a value in the log and none in memory', () => {
  const absent = new AbsentKeys(holding('held'))
  note(absent, ['held', 'v'], ['b', 'v'], ['a', 'v'], ['b', 'w'], ['\u00ff', 'v'])
  expect(taken(absent)).toEqual(['b', 'a', '\u00c3\u00bf'])
  expect(taken(absent)).toEqual([])
})

test('AbsentKeys leaves out keys whose tombstone the log has', () => {
  const absent = new AbsentKeys(holding())
  note(absent, ['a', null], ['b', 'v'], ['c', 'v'], ['b', null], ['d', 'v'], ['d', null], ['d', 'w'])
  expect(taken(absent)).toEqual(['c', 'd'])
})

test('AbsentKeys is full at its bound, and empty when it was taken', () => {
  const absent = new AbsentKeys(holding(), 1_000)
  for (let i = 0; !absent.isFull; i++) note(absent, [`key ${i}`, 'v'])
  expect(absent.takeKeys().length).toBeLessThan(16)
  expect(absent.isFull).toBeFalse()
})
