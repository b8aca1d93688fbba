/**
 * Classifies errors during the conversion of a record: which step failed, which counter applies, and the text for the
 * log.
 */
import { type Definition, describeThrown, SchemaMismatch } from '../../definition/index.ts'
import { isInstance, LatchkeyError } from '../../errors.ts'
import { SchemaPending } from '../../format/index.ts'
import { sleep } from '../../kafka/backoff.ts'
import type { CounterName } from '../../store-protocol/stats.ts'

/** The step of the conversion that is running. */
export type Step = 'key' | 'value' | 'old value' | 'convert' | 'onNew' | 'onUpdate' | 'onDelete' | 'encode'

/** Pause before an unreachable registry is asked again. */
const unavailableMs = 1_000

/** Returns the counter for a record that failed at a step. */
export function reasonAt(step: Step): CounterName {
  if (step === 'key') return 'skippedInvalidKey'
  return step === 'value' ? 'skippedInvalidValue' : 'skippedConversion'
}

export interface ConversionFault {
  /** Which step failed, without anything of the record. */
  what: string
  /** What was thrown, which may quote the record. */
  found: string
}

/** Returns what follows "record skipped, " in the log, in two parts. */
export function faultAt(step: Step, definition: Definition, thrown: unknown): ConversionFault {
  return { what: failureOf(step, definition, thrown), found: describeThrown(thrown, definition) }
}

function failureOf(step: Step, definition: Definition, thrown: unknown): string {
  const { key, input, value } = definition
  const isMismatch = isInstance(thrown, SchemaMismatch)
  switch (step) {
    case 'key':
      return `its key does not ${isMismatch ? 'match the schema' : `decode as ${key.name}`}`
    case 'value':
      return `its value does not ${isMismatch ? 'match the schema' : `decode as ${input.name}`}`
    case 'encode':
      return `what is to be stored ${isMismatch ? 'does not match the schema' : `cannot be encoded as ${value.name}`}`
    case 'convert':
      // Formats that come from settings have no function that a user could correct.
      if (definition.module === undefined) return `its value does not go from ${input.name} to ${value.name}`
      return 'convert failed'
    case 'old value':
      return `the value stored before it does not decode as ${value.name}, perhaps its format has changed (--rebuild stores all values again)`
    default:
      return `${step} failed`
  }
}

/**
 * Returns what to wait for if a schema is missing, which is not an error of the record; `ready` resolves when to retry.
 * Undefined for other errors.
 */
export function waitFor(thrown: unknown): { ready: Promise<void>; reason: string } | undefined {
  if (isInstance(thrown, SchemaPending)) return { ready: thrown.ready, reason: thrown.message }
  if (!isInstance(thrown, LatchkeyError) || thrown.code !== 'schema_unavailable') return undefined
  return { ready: sleep(unavailableMs), reason: thrown.message }
}
