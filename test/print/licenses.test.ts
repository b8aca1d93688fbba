import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { licensesText } from '../../lib/print/licenses.ts'
import { partsOfBun } from '../../lib/print/packages.ts'
import { read, root } from '../style/repository.ts'

const entryPoints = [
  'main.ts',
  'lib/store-thread/thread.ts',
  'lib/server/http-thread.ts',
  'lib/map/snapshot/snapshot-thread.ts',
]
/** Of interfaces that Bun has, and of itself. */
const interfaces = new Set(['bun', 'modules', 'napi', 'node', 'openssl', 'unicode', 'v8'])

test('the licences are those of the store and of every package that the executable bundles', async () => {
  const { metafile } = await Bun.build({
    entrypoints: entryPoints.map((path) => join(root, path)),
    target: 'bun',
    metafile: true,
  })
  const inputs = Object.keys(metafile?.inputs ?? {})
  const names = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
  expect(new Set(names).size).toBeGreaterThan(5)
  const text = licensesText()
  for (const name of new Set(names)) {
    expect(text).toMatch(new RegExp(`^${RegExp.escape(name)} \\d+\\.\\d+\\.\\d+ \\(`, 'm'))
  }
  expect(text).toContain(read('LICENSE').trim())
})

test('every part that Bun lists has its licence', () => {
  const parts = Object.keys(process.versions).filter((name) => !interfaces.has(name))
  expect(Object.keys(partsOfBun).toSorted()).toEqual(parts.toSorted())
})
