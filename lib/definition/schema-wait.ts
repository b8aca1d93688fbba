/** Lets lookups wait for a schema that is being fetched, with limits on time and number. */
import { isInstance, LatchkeyError } from '../errors.ts'
import { SchemaPending } from '../format/codec.ts'

/** How long a lookup or a write waits for a schema that is being fetched, unless configured. */
export const schemaWaitMsDefault = 10_000

/** Schemas that one lookup may wait for, one after the other. */
const schemasMax = 20
/** Lookups that may wait at the same time. */
const waitingMax = 10_000

/**
 * Callbacks of waiting lookups, by promise. A registry may be unreachable for long: each promise gets only one
 * reaction, however many lookups start to wait for it and time out.
 */
const wakesOf = new WeakMap<Promise<void>, Set<() => void>>()
let waiting = 0

/**
 * Calls `ask`, and again when a missing schema is available.
 * Throws or rejects with LatchkeyError schema_unavailable if that takes longer than waitMs, and with the errors of
 * `ask`.
 */
export function withSchemas<T>(ask: () => T, waitMs: number): T | Promise<T> {
  try {
    return ask()
  } catch (thrown) {
    if (isInstance(thrown, SchemaPending)) return askAgain(ask, thrown, waitMs)
    throw thrown
  }
}

async function askAgain<T>(ask: () => T, first: SchemaPending, waitMs: number): Promise<T> {
  const deadline = performance.now() + waitMs
  let pending = first
  for (let waited = 0; waited < schemasMax; waited++) {
    if (waiting >= waitingMax || !(await isReadyWithin(pending.ready, deadline - performance.now()))) break
    try {
      return ask()
    } catch (thrown) {
      if (!isInstance(thrown, SchemaPending)) throw thrown
      pending = thrown
    }
  }
  const message = `Looking up a key: ${pending.message}, and is not there yet; ask again later`
  throw new LatchkeyError('schema_unavailable', message, { cause: pending })
}

function isReadyWithin(ready: Promise<void>, ms: number): Promise<boolean> {
  waiting++
  return new Promise((resolve) => {
    const wakes = wakesFor(ready)
    const end = (isReady: boolean) => {
      waiting--
      clearTimeout(timer)
      wakes.delete(wake)
      resolve(isReady)
    }
    const wake = () => end(true)
    const timer = setTimeout(() => end(false), ms)
    wakes.add(wake)
  })
}

function wakesFor(ready: Promise<void>): Set<() => void> {
  const known = wakesOf.get(ready)
  if (known !== undefined) return known
  const wakes = new Set<() => void>()
  const wakeAll = () => {
    wakesOf.delete(ready)
    for (const wake of wakes) wake()
  }
  wakesOf.set(ready, wakes)
  ready.then(wakeAll, wakeAll)
  return wakes
}
