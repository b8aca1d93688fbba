/** Answers operations from the memory of this instance, and from nothing else. */
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import type { CopyState } from '../store-protocol/copy-state.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { Failed, KeyResult, MissedKey } from './key-result.ts'
import type { GetOperation } from './operations.ts'

export interface LocalCopies {
  /** Of the source; 0 before it is known. */
  readonly partitionCount: number
  of(partition: number): CopyState
  roleOf(partition: number): number
  /** Calls a function when roles may have changed. */
  onRoles(listener: () => void): void
  /** Whether some keys of the partition are not where the partitioner puts them. */
  hasStrangers(partition: number): boolean
  /** Whether the plan of a generation is the present one of the group, as far as that matters for keys elsewhere. */
  isCurrent(generation: number): boolean
}

/** The part of a store that routing uses. */
export interface LocalStore {
  readonly id: string
  readonly copies: LocalCopies
  partitionOf(key: Uint8Array): number
  /** As StoreView.get. */
  get(key: Uint8Array, maxLag?: number): Lookup | undefined | Promise<Lookup | undefined>
}

export interface AskedFrom {
  /** Of the source, as who asks knows it; 0 if it does not. */
  partitionCount: number
}

/** Never throws and never rejects. */
export function answerGet(
  store: LocalStore,
  { key, maxLag }: GetOperation,
  asked: AskedFrom,
): KeyResult | Promise<KeyResult> {
  try {
    const found = store.get(key, maxLag)
    if (!(found instanceof Promise)) return resultOf(store, key, found, asked)
    return found.then((lookup) => resultOf(store, key, lookup, asked)).catch(failed)
  } catch (thrown) {
    return failed(thrown)
  }
}

/** Looks again for what is missing: the state of the copy is to be of before the look, which may have waited. */
function resultOf(
  store: LocalStore,
  key: Uint8Array,
  found: Lookup | undefined,
  asked: AskedFrom,
): KeyResult | Promise<KeyResult> {
  const result = keyResultOf(store, key, found, asked)
  if (result.type !== 'missed') return result
  const again = store.get(key)
  const judged = (lookup: Lookup | undefined): KeyResult => (lookup === undefined ? result : { type: 'found', lookup })
  return again instanceof Promise ? again.then(judged) : judged(again)
}

export function failed(thrown: unknown): Failed {
  return { type: 'failed', error: errorOf(thrown) }
}

/** Returns what was thrown; `internal` for a defect. */
export function errorOf(thrown: unknown): LatchkeyError {
  return isInstance(thrown, LatchkeyError) ? thrown : new LatchkeyError('internal', messageOf(thrown))
}

/** What a copy says of a key that it does not have. */
export function missedOf(partition: number, { caughtUp, isHalted, lag }: CopyState): MissedKey {
  return { type: 'missed', caughtUp, isHalted, partition, ...(lag !== undefined && { lag }) }
}

/**
 * @param result of looking the key up here
 * @param copies as they were before the look, where they may have changed since
 */
export function keyResultOf(
  store: LocalStore,
  key: Uint8Array,
  result: Lookup | LatchkeyError | undefined,
  asked: AskedFrom,
  copies: Pick<LocalCopies, 'of'> = store.copies,
): KeyResult {
  if (isInstance(result, LatchkeyError)) return failed(result)
  if (result !== undefined) return { type: 'found', lookup: result }
  const { id } = store
  const { partitionCount } = store.copies
  if (asked.partitionCount !== 0 && asked.partitionCount !== partitionCount) {
    const counts = `${partitionCount} partitions here, and ${asked.partitionCount} where it was asked for`
    const message = `Reading store ${id}: its topic has ${counts}: both will know of its growth soon`
    return failed(new LatchkeyError('recovering', message))
  }
  const partition = store.partitionOf(key)
  return missedOf(partition, copies.of(partition))
}
