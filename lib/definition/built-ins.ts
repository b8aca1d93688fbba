/**
 * The packages that a store module may import without their being installed: `latchkey` and `valibot` are what is built in. Each thread that
 * loads a module provides them for itself; where no module is loaded nothing is done.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as valibot from 'valibot'
import { LatchkeyError } from '../errors.ts'
import { SchemaPending } from '../format/index.ts'
import { pathOf } from './call-site.ts'
import * as latchkey from './module-exports.ts'

/** What runs is one file that holds all of this. */
export const isCompiled = /^(\/\$bunfs|[A-Z]:[\\/]~BUN)/.test(import.meta.path)

const builtIns: Record<string, () => Record<string, unknown>> = {
  latchkey: () => ({
    ...latchkey,
    LatchkeyError,
    SchemaPending,
    openStore: refusal('openStore'),
    serve: refusal('serve'),
  }),
  valibot: () => valibot,
}

const provided = new Set<string>()

/** In the executable always; elsewhere only what is not installed where the module would look for it. */
export function provideBuiltIns(moduleUrl: string): void {
  const path = pathOf(moduleUrl)
  for (const [name, load] of Object.entries(builtIns)) {
    if (provided.has(name) || (!isCompiled && path !== undefined && isInstalled(name, dirname(path)))) continue
    provided.add(name)
    Bun.plugin({
      name: `built-in ${name}`,
      setup(build) {
        build.module(name, () => ({ exports: load(), loader: 'object' }))
      },
    })
  }
}

export function isBuiltIn(name: string): boolean {
  return Object.hasOwn(builtIns, name)
}

export function exportsOf(name: string): string[] {
  return Object.keys(builtIns[name]?.() ?? {})
}

function isInstalled(name: string, folder: string): boolean {
  if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true
  const above = dirname(folder)
  return above !== folder && isInstalled(name, above)
}

/** So that a program which opens its store beside the definition is told so, on the thread that loads the definition a second time. */
function refusal(name: string): () => never {
  return () => {
    throw new LatchkeyError(
      'invalid_settings',
      `${name} is called while the definition is loaded: put the definition into a module of its own, as its default export`,
    )
  }
}
