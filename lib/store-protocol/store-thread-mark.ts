/**
 * Marks store threads. A store thread loads the user's module. If that module opens the store itself, each store thread
 * would open another one, without end. The mark turns this into an error.
 */
import { LatchkeyError } from '../errors.ts'

const mark = Symbol.for('latchkey.store-thread')

export function markStoreThread(): void {
  Object.assign(globalThis, { [mark]: true })
}

/** @throws LatchkeyError invalid_settings on a store thread */
export function refuseOnStoreThread(): void {
  if (!(mark in globalThis)) return
  const found = 'the module of the definition opens the store itself, and the store thread loads that module again'
  const advice = 'put the definition into a separate module and export it as default'
  throw new LatchkeyError('invalid_settings', `Opening a store: ${found}; ${advice}`)
}
