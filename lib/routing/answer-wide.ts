/** Answers operations from the memory of this instance, and from nothing else. */
import { isInstance, LatchkeyError } from '../errors.ts'
import type { CopyState } from '../store-protocol/copy-state.ts'
import { isComplete, partitionStateOf } from '../store-protocol/partition-state.ts'
import type { EntryCount, ManyLookups, StoreReads, WalkChunk } from '../store-protocol/reads.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import { isMark } from '../store-protocol/walk-mark.ts'
import { answerGet, type AskedFrom, failed, keyResultOf, type LocalCopies, type LocalStore } from './answer.ts'
import type { Failed, KeyResult } from './key-result.ts'
import type { PeerOperation, Result } from './operations.ts'
import type { ChunkOperation, ManyOperation, VisibleOperation, WideOperation, WideResult } from './wide-operations.ts'

/** Values of one answer, at least one. */
export const answerBytesMax = 16_777_216

/** The part of a store that these operations use. */
export interface LocalReads extends LocalStore, StoreReads {
  readonly stats: StatsView
  count(partitions?: readonly number[]): EntryCount | Promise<EntryCount>
  flush(): Promise<number>
}

/** Never throws and never rejects. */
export function answerOperation(
  store: LocalReads,
  operation: PeerOperation,
  asked: AskedFrom,
): Result | Promise<Result> {
  return operation.type === 'get' ? answerGet(store, operation, asked) : answerWide(store, operation, asked)
}

/** Never throws and never rejects. */
export function answerWide(
  store: LocalReads,
  operation: WideOperation,
  asked: AskedFrom,
): WideResult | Failed | Promise<WideResult | Failed> {
  try {
    const answer = answerOf(store, operation, asked)
    return answer instanceof Promise ? answer.catch(failed) : answer
  } catch (thrown) {
    return failed(thrown)
  }
}

function answerOf(store: LocalReads, operation: WideOperation, asked: AskedFrom): WideResult | Promise<WideResult> {
  switch (operation.type) {
    case 'many':
      return answerMany(store, operation, asked)
    case 'chunk':
      return answerChunk(store, operation)
    case 'count':
      return then(store.count(operation.partitions), ({ epoch, counts = [] }) => ({ type: 'count', epoch, counts }))
    case 'flush':
      return store.flush().then((operations) => ({ type: 'flush', operations }))
    case 'visible':
      return answerVisible(store, operation)
  }
}

function answerMany(
  store: LocalReads,
  { keys, bytesMax, searched }: ManyOperation,
  asked: AskedFrom,
): WideResult | Promise<WideResult> {
  // What is said of a copy with a miss is of before the look: until the answer the copy may show more.
  const missedBefore = searched && searchMissed(store, searched, asked)
  const copies = copiesOf(store, searched === undefined ? keys : [])
  const answer = ({ epoch, results }: ManyLookups): WideResult => {
    const missed = missedBefore && worse(missedBefore, searchMissed(store, searched, asked))
    const shortened = shorten()
    const all = results.map((result, index): KeyResult => {
      const isFailure = isInstance(result, LatchkeyError)
      const isMiss = result === undefined || (isFailure && result.code !== 'answer_full')
      if (missed !== undefined && isMiss) return missed
      return keyResultOf(store, keys[index]!, isFailure ? shortened(result) : result, asked, copies)
    })
    return { type: 'many', epoch, results: all }
  }
  return then(store.getMany(keys, Math.min(bytesMax, answerBytesMax)), answer)
}

/** Returns the copies that keys belong to, as they are now. */
function copiesOf(store: LocalReads, keys: readonly Uint8Array[]): Pick<LocalCopies, 'of'> {
  const known = new Map<number, CopyState>()
  for (const key of keys) {
    const partition = store.partitionOf(key)
    if (!known.has(partition)) known.set(partition, store.copies.of(partition))
  }
  return { of: (partition) => known.get(partition) ?? store.copies.of(partition) }
}

/** Thousands of keys may have one error, whose details name all partitions of an instance: only its own is sent. */
function shorten(): (error: LatchkeyError) => LatchkeyError {
  const known = new Map<LatchkeyError, LatchkeyError>()
  return (error) => {
    const { partition } = error.details
    const details = typeof partition === 'number' ? { partition } : {}
    const shortened = known.get(error) ?? new LatchkeyError(error.code, error.message, { details })
    known.set(error, shortened)
    return shortened
  }
}

/** Returns the result for a key that was not found in any of these partitions. */
function searchMissed(store: LocalReads, searched: readonly number[], asked: AskedFrom): KeyResult {
  let allCaughtUp = true
  for (const partition of searched) {
    const { role, caughtUp } = store.copies.of(partition)
    const isWhole = role === 0 && isComplete(partitionStateOf(store.stats, partition))
    if (!isWhole) {
      const found = `the key may be in partition ${partition}, which this instance is not, or not yet, primary of`
      return failed(new LatchkeyError('recovering', `Reading store ${store.id}: ${found}`, { details: { partition } }))
    }
    allCaughtUp &&= caughtUp
  }
  if (asked.partitionCount !== 0 && asked.partitionCount !== store.copies.partitionCount) {
    return keyResultOf(store, new Uint8Array(), undefined, asked)
  }
  return { type: 'missed', caughtUp: allCaughtUp, isHalted: false, partition: 0 }
}

/** A partition has to be whole before the look and after it. */
function worse(before: KeyResult, after: KeyResult): KeyResult {
  return before.type === 'missed' && after.type === 'failed' ? after : before
}

/** A position of another process means nothing here. */
function answerChunk(store: LocalReads, { position, bounds }: ChunkOperation): WideResult | Promise<WideResult> {
  const { partition, hash, mark } = position
  const { walkMark } = store
  if (hash > 0 && mark !== undefined && !isMark(mark, walkMark)) {
    const message = `Reading store ${store.id}: partition ${partition} was begun in another process`
    throw new LatchkeyError('cursor_expired', message)
  }
  const read = store.readChunk({ partition, hash }, bounds)
  return then(read, (chunk: WalkChunk): WideResult => ({ type: 'chunk', mark: walkMark, chunk }))
}

function answerVisible(store: LocalReads, { partitions }: VisibleOperation): WideResult | Promise<WideResult> {
  const gauges = (name: 'visible' | 'changelogPosition') =>
    partitions.map((partition) => (store.copies.roleOf(partition) < 0 ? -1 : store.stats.gauge(partition, name)))
  // Read after the epoch: what was written by then is visible in a later one at the latest.
  return then(store.count([]), ({ epoch }) => {
    return { type: 'visible', epoch, positions: gauges('visible'), written: gauges('changelogPosition') }
  })
}

function then<T, U>(value: T | Promise<T>, use: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(use) : use(value)
}
