/**
 * The packages that a store module can import without installing them: `latchkey` and `valibot`, both built in. Each
 * thread that loads a module provides them for itself. Nothing happens if no module is loaded.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as valibot from 'valibot'
import { LatchkeyError } from '../errors.ts'
import { SchemaPending } from '../format/index.ts'
import { pathOf } from './call-site.ts'
import * as latchkey from './module-exports.ts'

/** Whether this code runs from the compiled executable, which is one file. */
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

/**
 * Provides the built-in packages to a module: in the executable always, elsewhere only those that are not installed
 * where the module would find them.
 */
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

/**
 * A stand-in for a function that a definition must not call. If a program opens its store in the module of the
 * definition, the thread that loads the module a second time reports the mistake.
 */
function refusal(name: string): () => never {
  return () => {
    throw new LatchkeyError(
      'invalid_settings',
      `${name} is called while the definition is loaded: put the definition into a separate module, as its default export`,
    )
  }
}
