/** Writes of a program's own, against a real Kafka: what was acknowledged stays, in the order of the calls, beside what the source brings. */
import { describe, expect, test } from 'bun:test'
import { Fixture } from '../integration/support/fixture.ts'

const text = (value: string) => Buffer.from(value)

describe('a write', () => {
  test('is visible after a flush, and in the changelog in the order of the calls', async () => {
    await using fixture = await Fixture.create({ partitions: 3 })
    const store = fixture.open({ autoFlushSeconds: 3600 })
    await store.ready
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => store.write(text(key), text(`${key}1`))))
    await Promise.all([store.write(text('d'), text('d2')), store.write(text('d'), null)])
    await store.flush()
    expect(await fixture.value(store, 'a')).toBe('a1')
    expect(await fixture.value(store, 'c')).toBe('c1')
    expect(await fixture.value(store, 'd')).toBeUndefined()
    const { records } = await fixture.readChangelog()
    expect(records.filter(({ key }) => key === 'd').map(({ value }) => value)).toEqual(['d1', 'd2', null])
    expect(records.length).toBe(6)
  })
})
