/** Store threads are marked, so that a program whose own module is loaded there can be told that it opens stores without end. */
import { LatchkeyError } from '../errors.ts'

const mark = Symbol.for('latchkey.store-thread')

export function markStoreThread(): void {
  Object.assign(globalThis, { [mark]: true })
}

/** @throws LatchkeyError invalid_settings on a store thread */
export function refuseOnStoreThread(): void {
  if (!(mark in globalThis)) return
  const found = 'the module with the definition opens the store itself, and is loaded by the store once more'
  const advice = 'put the definition into a module of its own and export it as default'
  throw new LatchkeyError('invalid_settings', `Opening a store: ${found}; ${advice}`)
}
