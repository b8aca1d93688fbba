/** Before `npm pack`: the declarations of what lib/index.ts exports, into dist/types, and no others. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dir, '../..')
const types = join(root, 'dist/types')
const project = join(types, 'tsconfig.json')

rmSync(types, { recursive: true, force: true })
mkdirSync(types, { recursive: true })
const compilerOptions = { noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: types, rootDir: root }
// Declarations for libraries without types are never imported.
const unimported = new Bun.Glob('**/*.d.ts').scanSync(join(root, 'lib'))
const files = ['index.ts', ...unimported].map((path) => join(root, 'lib', path))
writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }))
const tsc = join(root, 'node_modules/.bin/tsc')
const { exitCode } = Bun.spawnSync([tsc, '--project', project], { stdout: 'inherit', stderr: 'inherit' })
if (exitCode !== 0) process.exit(exitCode)

const reached = new Set<string>()
const open = [join(types, 'lib/index.d.ts')]
for (let path = open.pop(); path !== undefined; path = open.pop()) {
  if (reached.has(path)) continue
  reached.add(path)
  const text = readFileSync(path, 'utf8')
  for (const [, imported] of text.matchAll(/(?:\bfrom |\bimport\()['"](\.[^'"]+)\.ts['"]/g)) {
    open.push(`${join(path, '..', imported!)}.d.ts`)
  }
}
for (const path of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
  const file = join(types, path)
  if (/\.(ts|json)$/.test(file) && !reached.has(file)) rmSync(file)
}
