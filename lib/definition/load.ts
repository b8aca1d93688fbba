/** Store modules: found by their URL, loaded by each thread on its own. */
import { type FormatsConfig } from '../format/index.ts'
import { type Definition } from './definition.ts'
import { definitionOfFormats } from './of-formats.ts'

/** The default export of a store module. @throws LatchkeyError invalid_settings saying what is wrong with it, and where */
export async function loadDefinition(moduleUrl: string): Promise<Definition> {
  const loaded = (await import(moduleUrl)) as { default: Definition }
  return { ...loaded.default, module: moduleUrl }
}

/** The definition that a store's configuration asks for: its module's, else that of its formats. */
export async function definitionOf(config: {
  readonly formats?: FormatsConfig
  readonly module?: string
}): Promise<Definition> {
  return config.module === undefined ? definitionOfFormats(config.formats) : loadDefinition(config.module)
}
