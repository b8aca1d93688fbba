/** Records through a store module: what is stored of them, and that a restart changes nothing of it. */
import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { compact } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const counting = { module: new URL('../support/store/modules/counting.ts', import.meta.url).href }
const waiting = { module: new URL('../support/store/modules/waiting.ts', import.meta.url).href }

const message = (key: string, value: object | null) => ({ key, value: value && JSON.stringify(value), partition: 0 })

test('a store keeps converted values over restarts and compaction', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open(counting)
  const write = async (...messages: ReturnType<typeof message>[]) => {
    await fixture.produce(messages)
  }
  await write(message('a', { n: 1 }), message('b', { n: 2 }), message('a', { n: 3 }), message('c', { n: 4 }))
  await write(message('b', null), message('c', { n: 5, as: 'null' }), message('d', { n: 6 }), message('a', { n: 7 }))
  await write(message('d', { n: 8, as: 'skip' }), message('a', { n: 9, as: 'throw' }))
  await fixture.quiet(store)
  const expected = ['{"n":7,"updates":2}', undefined, undefined, '{"n":6,"updates":0}']
  const values = async (of: typeof store) => Promise.all(['a', 'b', 'c', 'd'].map((key) => fixture.value(of, key)))
  expect(await values(store)).toEqual(expected)
  expect(store.stats.count('leftOut')).toBe(1)
  expect(store.stats.count('skippedConversion')).toBe(1)
  await store.close()
  // The last two records left no trace in the changelog, and are done with.
  expect(await fixture.committed()).toEqual(new Map([[0, 10]]))
  expect((await fixture.readChangelog()).records.map(({ src }) => src)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])

  for (const isCompacted of [false, true]) {
    if (isCompacted) await compact(fixture.cluster, fixture.changelog)
    fixture.lines.length = 0
    const again = fixture.openLogged(counting)
    await fixture.quiet(again)
    expect(await values(again)).toEqual(expected)
    // The same offsets again: the callbacks run again, with the same result.
    expect(fixture.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([
      expect.stringContaining('offset 9: record skipped, convert failed: counting.ts:23: no order under a'),
    ])
    await again.close()
  }
  const last = fixture.open(counting)
  await write(message('a', { n: 10 }))
  await fixture.quiet(last)
  expect(await fixture.value(last, 'a')).toBe('{"n":10,"updates":3}')
})

test('a callback gets what a program has written, at once', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open({ ...counting, autoFlushSeconds: 60 })
  await fixture.quiet(store)
  for (const updates of [40, 50]) {
    await store.write(Buffer.from('a'), Buffer.from(JSON.stringify({ n: 0, updates })))
    await fixture.produce([message('a', { n: 1 }), message('a', { n: 2 })])
    await fixture.quiet(store)
    expect(await fixture.value(store, 'a')).toBe(`{"n":2,"updates":${updates + 2}}`)
  }
  await store.close()
  const again = fixture.open(counting)
  await fixture.quiet(again)
  expect(await fixture.value(again, 'a')).toBe('{"n":2,"updates":52}')
})

test('a callback gets the value without the kept headers', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open({ ...counting, keepHeaders: ['trace*'] })
  for (let n = 0; n < 3; n++) {
    await fixture.produce([{ ...message('a', { n }), headers: { 'trace-id': `trace ${n}`, other: 'x' } }])
    await fixture.quiet(store)
  }
  expect(await fixture.value(store, 'a')).toBe('{"n":2,"updates":2}')
})

test('a processing-only instance converts, and reports that callbacks do not run', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged({ ...counting, useProcessingOnly: true })
  await fixture.produce([message('a', { n: 1 }), message('a', { n: 2 })])
  await fixture.quiet(store)
  expect((await fixture.readChangelog()).records.map(({ value }) => value)).toEqual([
    '{"n":1,"updates":0}',
    '{"n":2,"updates":0}',
  ])
  await fixture.logged('onNew, onUpdate and onDelete do not run')
})

test('values are converted from the input format to the stored format', async () => {
  await using fixture = await Fixture.create()
  const raw = { format: 'raw' } as const
  const formats = { key: raw, value: { format: 'int32' } as const, store: { format: 'json' } as const }
  const store = fixture.open({ formats })
  await fixture.cluster.produce(fixture.source, [
    { key: 'a', value: Buffer.from([0, 0, 1, 2]) },
    { key: 'b', value: Buffer.from([0]) },
  ])
  await fixture.quiet(store)
  expect(await fixture.value(store, 'a')).toBe('258')
  expect(await fixture.value(store, 'b')).toBeUndefined()
  expect(store.stats.count('skippedInvalidValue')).toBe(1)
})

test('a partition waits at a record whose schema is missing, the others continue; a flush and a close do not wait for it', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const file = join(temporaryFolder('waiting'), 'schema')
  const store = fixture.open(waiting)
  await fixture.produce([
    { key: 'a', value: 'before', partition: 0 },
    { key: 'a', value: file, partition: 0 },
    { key: 'b', value: 'behind', partition: 0 },
    { key: 'x', value: 'elsewhere', partition: 1 },
  ])
  const shows = (of: typeof store, key: string, value: string) =>
    until(`${key} is ${value}`, async () => {
      if (of.state !== 'running') return false
      await of.flush()
      return (await fixture.value(of, key)) === value
    })
  await shows(store, 'a', 'before')
  await shows(store, 'x', 'elsewhere')
  await fixture.produce([{ key: 'x', value: 'further', partition: 1 }])
  await shows(store, 'x', 'further')
  await store.close()
  expect(await fixture.committed()).toEqual(
    new Map([
      [0, 1],
      [1, 2],
    ]),
  )

  const again = fixture.open(waiting)
  await shows(again, 'x', 'further')
  expect(await fixture.value(again, 'a')).toBe('before')
  expect(await fixture.value(again, 'b')).toBeUndefined()
  writeFileSync(file, '')
  await shows(again, 'b', 'behind')
  expect(await fixture.value(again, 'a')).toBe(file)
  await fixture.quiet(again)
})

test('a recreated source is recognised when its values were converted, and callbacks start from nothing', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([message('a', { n: 1 }), message('a', { n: 2 }), message('gone', { n: 3 })])
  const first = fixture.open(counting)
  await fixture.quiet(first)
  await first.close()
  await fixture.cluster.recreateTopic(fixture.source)
  await fixture.produce(Array.from({ length: 5 }, (_, n) => message('a', { n })))
  const store = fixture.openLogged(counting)
  await fixture.quiet(store)
  await fixture.logged('the source topic was recreated')
  expect(await fixture.value(store, 'a')).toBe('{"n":4,"updates":4}')
  expect(await fixture.value(store, 'gone')).toBeUndefined()
})

test('an unhandled rejection of a module ends the store with one line that names its place', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: '1' }])
  const module = new URL('../support/store/modules/leaving-a-promise.ts', import.meta.url).href
  const store = fixture.open({ module })
  expect((await store.failed).message).toBe(
    'The store thread ended: unhandled rejection of a test, at leaving-a-promise.ts:7; a promise or timer that the store module left behind?',
  )
})
