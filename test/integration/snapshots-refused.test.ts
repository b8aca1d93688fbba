/** A snapshot that the changelog does not continue is not used, the log says why, and nothing old is shown. */
import { afterEach, expect, setSystemTime, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compacting } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'
import { converged, keyed, onceConverged, refusalsOf, snapshotFolder } from '../support/store/snapshots.ts'
import { until } from '../support/until.ts'

const hour = 3_600
const dayMs = 86_400_000

afterEach(() => {
  setSystemTime()
})

/** A source of 200 keys, and a snapshot of them. */
async function begun(changelog?: Record<string, string>) {
  const fixture = await Fixture.create(changelog && { changelog })
  const folder = snapshotFolder()
  const settings = { snapshotDir: folder.path, snapshotSeconds: hour }
  await fixture.produce(keyed(0, 200, (i) => `value-${i}`))
  const store = await onceConverged(fixture, settings)
  expect(store.stats.count('snapshots')).toBeGreaterThan(0)
  return {
    fixture,
    folder,
    settings,
    async [Symbol.asyncDispose]() {
      await fixture[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

test('deleted keys do not return when compaction has removed their tombstones', async () => {
  await using run = await begun({ 'delete.retention.ms': String(dayMs) })
  const { fixture, settings } = run
  await fixture.produce(keyed(0, 100, () => null))
  const other = await converged(fixture)
  await fixture.cluster.configure(fixture.changelog, { ...compacting, 'delete.retention.ms': '0' })
  await until('the tombstones are compacted away', async () => {
    // Each write begins a new segment.
    await fixture.produce([{ key: 'filler', value: null }])
    await fixture.quiet(other)
    const { records } = await fixture.readChangelog()
    return !records.some(({ key }) => key === 'key-5')
  })
  await other.close()

  const store = await converged(fixture, settings)
  expect(refusalsOf(store)).toEqual(['too-old'])
  for (let i = 0; i < 100; i++) expect(await fixture.value(store, `key-${i}`)).toBeUndefined()
  await fixture.logged('keys that were deleted since could return. The changelog is read from its start')
})

test.each([
  { clock: 'went back by a day', byMs: -dayMs, reason: 'clock' as const },
  { clock: 'is eight days ahead', byMs: 8 * dayMs, reason: 'too-old' as const },
])('a snapshot is not used when the local clock $clock', async ({ byMs, reason }) => {
  await using run = await begun()
  setSystemTime(Date.now() + byMs)
  const store = run.fixture.openLogged(run.settings)
  await run.fixture.quiet(store)
  expect(refusalsOf(store)).toEqual([reason])
  await run.fixture.expectConverged(store)
})

test('a changelog that was recreated, and has more records than before, is read from its start', async () => {
  await using run = await begun()
  const { fixture, settings } = run
  await fixture.cluster.recreateTopic(fixture.changelog, 1, { 'cleanup.policy': 'compact' })
  await fixture.produce(keyed(0, 150, () => null))
  await fixture.produce(keyed(1_000, 1_400, (i) => `value-${i}`))
  await onceConverged(fixture)
  const store = await converged(fixture, settings)
  expect(refusalsOf(store)).toEqual(['recreated'])
  await fixture.logged('the changelog was recreated: its topic id is')
})

test.each([
  { what: 'some records before the snapshot’s end', before: 50 },
  { what: 'all records of before', before: -1 },
])('a store begins without its snapshot when the changelog lost $what', async ({ before }) => {
  await using run = await begun()
  const { fixture, settings } = run
  await fixture.produce(keyed(0, 20, () => null))
  await onceConverged(fixture)
  await fixture.cluster.configure(fixture.changelog, { 'cleanup.policy': 'compact,delete' })
  await fixture.cluster.deleteRecords(fixture.changelog, 0, before)
  const store = await converged(fixture, settings)
  expect(refusalsOf(store)).toEqual(['records-deleted'])
})

test('a rebuild comes before a snapshot, and the one after it is of what was rebuilt', async () => {
  await using run = await begun()
  const { fixture, settings } = run
  const rebuilt = await onceConverged(fixture, { ...settings, rebuild: true })
  expect(refusalsOf(rebuilt)).toEqual(['rebuild'])
  const store = await converged(fixture, settings)
  expect(refusalsOf(store)).toEqual(['used'])
  expect(store.stats.count('recordsRecovered')).toBe(0)
})

test('records of another program after the snapshot lead to a reading of all', async () => {
  await using run = await begun()
  const { fixture, settings } = run
  await fixture.cluster.produce(fixture.changelog, [{ key: 'key-3', value: 'foreign' }])
  const store = fixture.openLogged(settings)
  await fixture.quiet(store)
  expect(refusalsOf(store)).toEqual(['late-records'])
  await fixture.expectConverged(store)
  expect(await fixture.value(store, 'key-3')).toBe('value-3')
})

test.each(['log', 'index', 'manifest'])(
  'one wrong bit in a %s file is noticed, and the changelog is read',
  async (kind) => {
    await using run = await begun()
    const { fixture, folder, settings } = run
    const directory = join(folder.path, fixture.storeId, '0')
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(kind)) continue
      const bytes = readFileSync(join(directory, name))
      const at = kind === 'log' ? 100 : Math.floor(bytes.length / 2)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at)
      writeFileSync(join(directory, name), bytes)
    }
    const store = await onceConverged(fixture, settings)
    expect(refusalsOf(store)).toEqual(['damaged'])
    const again = await converged(fixture, settings)
    expect(refusalsOf(again)).toEqual(['used'])
  },
)
