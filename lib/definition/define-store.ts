/** What a store module calls. */
import { type Definition } from './definition.ts'

/** @returns the definition that a store module exports as default */
export function defineStore<K, I, V>(
  definition: Omit<Definition<K, I, V>, 'isPlain' | 'keepsBytes'>,
): Definition<K, I, V> {
  const keepsBytes = definition.convert === undefined && (definition.input as unknown) === definition.value
  return { ...definition, isPlain: false, keepsBytes }
}
