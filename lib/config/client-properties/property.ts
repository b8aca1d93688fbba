import type { ClientName } from '../../store-protocol/client-config.ts'
import type { ClientDefaults } from './defaults.ts'
import type { PropertyType } from './parsers.ts'

/** A property of librdkafka that has an effect here. */
export interface Property {
  name: string
  aliases: readonly string[]
  clients: readonly ClientName[]
  /** Messages never show its value. */
  isSecret: boolean
  /** Completes "it must be …". */
  allowed: string
  /**
   * Parses the text and sets the value in the draft. Returns a notice for the user, if there is one. Throws a
   * RangeError that completes "it must be …".
   */
  set: (draft: ClientDefaults, text: string) => string | undefined
}

export interface PropertyExtras<Value> {
  aliases?: readonly string[]
  isSecret?: true
  /** Returns a notice for the user who sets this value, if there is one. */
  notice?: (value: Value) => string | undefined
}

export const allClients: readonly ClientName[] = ['consumer', 'producer', 'changelog']
export const readers: readonly ClientName[] = ['consumer', 'changelog']

export function property<Value>(
  name: string,
  clients: readonly ClientName[],
  kind: PropertyType<Value>,
  set: (draft: ClientDefaults, value: Value) => void,
  { aliases = [], isSecret, notice }: PropertyExtras<Value> = {},
): Property {
  return {
    name,
    aliases,
    clients,
    isSecret: isSecret ?? false,
    allowed: kind.allowed,
    set(draft, given) {
      const value = kind.read(given)
      set(draft, value)
      return notice?.(value)
    },
  }
}
