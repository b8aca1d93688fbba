/** Lookups that need a schema which is still being fetched wait for it, within bounds. */
import { LatchkeyError } from '../errors.ts'
import { SchemaPending } from '../format/codec.ts'

/** Schemas that one lookup may need one after the other. */
const schemasMax = 20
/** Lookups that wait at the same time. */
const waitingMax = 10_000

/** A registry may be away for long: a promise gets one reaction, however many lookups wait for it, in vain. */
const wakesOf = new WeakMap<Promise<void>, Set<() => void>>()
let waiting = 0

/**
 * Asks at once, and where a schema is missing again when it is there.
 * Throws, or rejects, with LatchkeyError schema_unavailable if it is not there within waitMs, and with whatever `ask` throws.
 */
export function withSchemas<T>(ask: () => T, waitMs: number): T | Promise<T> {
  try {
    return ask()
  } catch (thrown) {
    if (thrown instanceof SchemaPending) return askAgain(ask, thrown, waitMs)
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
      if (!(thrown instanceof SchemaPending)) throw thrown
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
