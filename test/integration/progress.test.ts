/** Progress towards the end that the source had at start: each phase by its name, and the percentage. */
import { expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

/** Stands still at a value that names a file, until there is one. */
const waiting = { module: new URL('../support/store/modules/waiting.ts', import.meta.url).href }
const records = 100
const stuckAt = 40

test('catching up and a rebuild report progress, and their end is logged', async () => {
  await using fixture = await Fixture.create()
  const file = join(temporaryFolder('progress'), 'schema')
  await fixture.produce(
    Array.from({ length: records }, (_, i) => ({ key: `key-${i}`, value: i === stuckAt ? file : 'value' })),
  )
  const store = fixture.openLogged(waiting)
  await until('it has come as far as it can', () => store.progress()?.percent === stuckAt)
  expect(store.progress()).toMatchObject({ phase: 'catching-up' })
  // The state is running: lookups are not answered with `recovering`.
  expect(store.status()).toMatchObject({ state: 'running', recovery: null, caughtUp: false })
  await fixture.logged(`Changelog ${fixture.changelog} is empty, nothing to recover`)
  writeFileSync(file, '')
  await fixture.quiet(store)
  expect(store.progress()).toBeNull()
  await store.close()

  rmSync(file)
  const rebuilt = fixture.openLogged({ ...waiting, rebuild: true })
  await until('it has come as far as it can again', () => rebuilt.progress()?.phase === 'rebuilding')
  await until('the progress is that', () => rebuilt.progress()?.percent === stuckAt)
  expect(rebuilt.status()).toMatchObject({ state: 'recovering', recovery: { phase: 'rebuilding', percent: stuckAt } })
  expect(fixture.hasLogged('Rebuilt from')).toBe(false)
  writeFileSync(file, '')
  await fixture.quiet(rebuilt)
  await fixture.logged(`Rebuilt from ${fixture.source}: ${records} entries, lookups are answered`)
  await rebuilt.close()
  rmSync(dirname(file), { recursive: true })
})
