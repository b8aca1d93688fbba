/** Loads store modules. Each thread loads the module that the configuration names, by its URL. */
import { deadline } from '../deadline.ts'
import { LatchkeyError } from '../errors.ts'
import type { FormatsConfig } from '../format/index.ts'
import { provideBuiltIns } from './built-ins.ts'
import { nameOf } from './codecs.ts'
import { isDefinition } from './define-store.ts'
import type { Definition } from './definition.ts'
import { loadFault, shownUrl } from './load-fault.ts'
import { definitionOfFormats } from './of-formats.ts'
import { noteModule } from './uncaught.ts'

const loadMsDefault = 30_000

/**
 * Returns the default export of a store module. A thread loads a module only once, however often this is called.
 * @param loadMsMax time limit, because a module may wait for something at its top level
 * @throws LatchkeyError invalid_settings that says what is wrong with the module, in which file and line
 */
export async function loadDefinition(moduleUrl: string, loadMsMax = loadMsDefault): Promise<Definition> {
  provideBuiltIns(moduleUrl)
  const exports = await imported(moduleUrl, loadMsMax)
  let fault: string
  try {
    const definition = exports['default']
    if (isDefinition(definition)) {
      return definition.module === moduleUrl ? definition : { ...definition, module: moduleUrl }
    }
    fault = found(exports)
  } catch (thrown) {
    // The module exports a Proxy, and its traps throw.
    throw loadFault(thrown, moduleUrl)
  }
  throw new LatchkeyError('invalid_settings', `Loading the store module ${shownUrl(moduleUrl)}: ${fault}`)
}

/** Returns the definition of a store's configuration: from its module if it has one, else from its formats. */
export async function definitionOf(config: {
  readonly formats?: FormatsConfig
  readonly module?: string
}): Promise<Definition> {
  return config.module === undefined ? definitionOfFormats(config.formats) : loadDefinition(config.module)
}

async function imported(moduleUrl: string, loadMsMax: number): Promise<Record<string, unknown>> {
  noteModule(moduleUrl)
  try {
    return await deadline<Record<string, unknown>>(import(moduleUrl), loadMsMax, () => {
      const message = `it is not loaded after ${loadMsMax / 1000} s: an \`await\` outside of functions does not end`
      throw new Error(message)
    })
  } catch (thrown) {
    throw loadFault(thrown, moduleUrl)
  }
}

/** Describes what the module exports instead of a definition, and what to do. */
function found(exports: Record<string, unknown>): string {
  const wanted = 'it must be `export default defineStore({ … })`'
  if (!('default' in exports)) {
    const names = Object.keys(exports)
    const others = names.length === 0 ? '' : `, only ${names.slice(0, 5).join(', ')}`
    return `it has no default export${others}: ${wanted}`
  }
  const exported = exports['default']
  if (exported instanceof Promise) return `its default export is a promise: write \`export default await …\``
  const name = exported === undefined ? 'undefined' : nameOf(exported)
  return `its default export is ${name} that defineStore has not made: ${wanted}`
}
