/** --rebuild: the contents of the changelog are deleted and made again from the source, even after an interruption. */
import { expect, test } from 'bun:test'
import { checkTopics } from '../../lib/topics/check.ts'
import { rebuildingMetadata } from '../../lib/topics/completeness.ts'
import { headerOf } from '../support/kafka/record-batch/raw-batch.ts'
import { Fixture } from '../support/store/fixture.ts'

const counting = { module: new URL('../support/store/modules/counting.ts', import.meta.url).href }
const keys = 50
const rounds = 4

/** A source in which every key comes four times, and a changelog that other settings have made of it. */
async function filled(settings = {}): Promise<Fixture> {
  const fixture = await Fixture.create()
  for (let round = 0; round < rounds; round++) {
    const messages = Array.from({ length: keys }, (_, i) => ({ key: `key-${i}`, value: JSON.stringify({ n: round }) }))
    await fixture.produce(messages)
  }
  const store = fixture.open(settings)
  await fixture.quiet(store)
  await store.close()
  return fixture
}

/** Opens a store, and holds what it serves and what it leaves behind against what the module makes of the source. */
async function expectCounted(fixture: Fixture, settings = {}): Promise<void> {
  const store = fixture.openLogged({ ...counting, ...settings })
  await fixture.quiet(store)
  for (let i = 0; i < keys; i++) {
    expect(await fixture.value(store, `key-${i}`)).toBe(`{"n":${rounds - 1},"updates":${rounds - 1}}`)
  }
  await store.close()
  expect(await fixture.committed()).toEqual(new Map([[0, keys * rounds]]))
}

test('a store that is started with --rebuild deletes everything and reads the source again, once', async () => {
  await using fixture = await filled()
  await expectCounted(fixture, { rebuild: true })
  await fixture.logged('rebuilding from offset 0, because --rebuild asks for it')
  await fixture.logged(`Partition 0: ${keys} keys deleted before it is rebuilt`)
  await fixture.logged(`Rebuilt from ${fixture.source}: ${keys} entries, lookups are answered`)
  expect(fixture.hasLogged('its values were stored with other formats')).toBe(false)
  fixture.lines.length = 0
  await expectCounted(fixture)
  expect(fixture.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([])
  // And again, over what it has made itself.
  await expectCounted(fixture, { rebuild: true })
})

test('a store with another module reports that stored values stay as they are, as --check does', async () => {
  await using fixture = await filled()
  const warnings = async (settings: object) =>
    (await checkTopics(fixture.config(settings))).filter((line) => line.startsWith('warning: '))
  expect(await warnings(counting)).toEqual([
    expect.stringContaining(': its values were stored with other formats, or by another store module'),
  ])
  expect(await warnings({})).toEqual([])
  expect(await warnings({ ...counting, rebuild: true })).toEqual([])
  const store = fixture.openLogged(counting)
  await fixture.quiet(store)
  await fixture.logged('its values were stored with other formats, or by another store module')
  expect(await fixture.value(store, 'key-0')).toBe(`{"n":${rounds - 1}}`)
})

test('a store serves nothing while it is rebuilt', async () => {
  await using fixture = await filled()
  const store = fixture.open({ ...counting, rebuild: true })
  const seen = new Set<string>()
  store.onState((state) => seen.add(state))
  await fixture.quiet(store)
  expect([...seen]).toEqual(['recovering', 'running'])
  expect(store.status().details[0]).toMatchObject({ state: 'running', entries: keys })
})

test.each([
  ['nothing was deleted yet', 0, false],
  ['some keys were deleted', keys / 2, false],
  ['some keys were deleted, and compaction has left no trace of that', keys / 2, true],
  ['all were deleted', keys, false],
])(
  'a rebuild that was killed when %s is finished by the next start without the flag',
  async (_, deleted, isCompacted) => {
    await using fixture = await filled(counting)
    const headers = isCompacted ? {} : { headers: { src: headerOf(-2) } }
    const tombstones = Array.from({ length: deleted }, (_none, i) => {
      return { key: `key-${keys - 1 - i}`, value: null, ...headers }
    })
    if (deleted > 0) await fixture.cluster.produce(fixture.changelog, tombstones)
    await fixture.cluster.commit(fixture.storeId, fixture.source, 0, keys * rounds, rebuildingMetadata)
    await expectCounted(fixture)
    await fixture.logged('a rebuild that began earlier was not finished')
  },
)

test('a rebuild that was killed while it read the source counts nothing twice', async () => {
  await using fixture = await filled()
  const store = fixture.openLogged({ ...counting, rebuild: true })
  await fixture.logged('deleted before it is rebuilt')
  // In any state that it has reached by then.
  await store.close()
  await expectCounted(fixture)
})

test('a changelog that was cut off is emptied before the source is counted again', async () => {
  await using fixture = await filled(counting)
  const { ends } = await fixture.readChangelog()
  await fixture.cluster.configure(fixture.changelog, { 'cleanup.policy': 'compact,delete' })
  await fixture.cluster.deleteRecords(fixture.changelog, 0, Math.floor(ends.get(0)! / 2))
  await expectCounted(fixture)
})
