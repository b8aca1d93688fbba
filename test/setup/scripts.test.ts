/** The npm scripts work in a fresh clone: nothing but Node and npm is there before the first of them has run. */
import { expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import manifest from '../../package.json' with { type: 'json' }
import { read } from '../style/repository.ts'
import { faultOfNode } from './node-version.js'

test.each(Object.entries(manifest.scripts))('the script %s installs first what it needs', (_name, script) => {
  expect(script).toStartWith('node test/setup/install.js && ')
})

test.each(['18.20.8', '20.18.3', '12.22.12'])('Node %s is refused in one sentence', (node) => {
  expect(faultOfNode({ node })).toBe(`run this script: found Node.js ${node}. Install Node.js 20.19 or newer, or Bun.`)
})

test.each([{ node: '20.19.0' }, { node: '22.1.0' }, { node: '18.0.0', bun: '1.4.5' }])('%p is accepted', (versions) => {
  expect(faultOfNode(versions)).toBeUndefined()
})

test('no dependency is marked as deprecated where the lock file was written', () => {
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { deprecated?: string }> }
  expect(Object.entries(lock.packages).filter(([, { deprecated }]) => deprecated !== undefined)).toEqual([])
})

test('the prerequisites of the tests are checked first, and all missing ones are named in a sentence', () => {
  const needs = fileURLToPath(new URL('needs.ts', import.meta.url))
  const { stderr, exitCode } = Bun.spawnSync([process.execPath, needs], { env: { PATH: '/nowhere' } })
  expect([stderr.toString(), exitCode]).toEqual([
    'run the tests: found no curl, no git, no nice, no openssl, no ps, no tar on PATH. Install what is missing with your package manager.\n',
    1,
  ])
})
