/** What goes wrong while a record is converted: whose fault it is, what it is counted under, how it is told. */
import { type Definition, describeThrown } from '../../definition/index.ts'
import { LatchkeyError } from '../../errors.ts'
import { SchemaPending } from '../../format/index.ts'
import { sleep } from '../../kafka/backoff.ts'
import { type CounterName } from '../../store-protocol/stats.ts'

/** What is being tried. */
export type Step = 'key' | 'value' | 'old value' | 'convert' | 'onNew' | 'onUpdate' | 'onDelete' | 'encode'

/** Until a registry that cannot be reached is asked again. */
const unavailableMs = 1_000

/** What a bad record is counted under. */
export function reasonAt(step: Step): CounterName {
  if (step === 'key') return 'skippedInvalidKey'
  return step === 'value' ? 'skippedInvalidValue' : 'skippedConversion'
}

/** To be read after "record skipped, ". */
export function faultAt(step: Step, definition: Definition, thrown: unknown): string {
  const { key, input, value } = definition
  const found = describeThrown(thrown, definition)
  switch (step) {
    case 'key':
      return `its key does not decode as ${key.name}: ${found}`
    case 'value':
      return `its value does not decode as ${input.name}: ${found}`
    case 'encode':
      return `what is to be stored cannot be encoded as ${value.name}: ${found}`
    case 'convert':
      // Formats by settings have no function that a user could look at.
      if (definition.module === undefined) return `its value does not go from ${input.name} to ${value.name}: ${found}`
      return `convert failed: ${found}`
    case 'old value':
      return `the value stored before it does not decode as ${value.name}, perhaps its format has changed (--rebuild stores all anew): ${found}`
    default:
      return `${step} failed: ${found}`
  }
}

/** Where it is not the record's fault, but a schema is to be waited for; `ready` resolves when to try again. */
export function waitFor(thrown: unknown): { ready: Promise<void>; reason: string } | undefined {
  if (thrown instanceof SchemaPending) return { ready: thrown.ready, reason: thrown.message }
  if (!(thrown instanceof LatchkeyError) || thrown.code !== 'schema_unavailable') return undefined
  return { ready: sleep(unavailableMs), reason: thrown.message }
}
