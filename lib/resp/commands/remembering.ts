/** Remembers keys that a client with a near cache reads. */
import type { Client } from '../client.ts'
import { latin1Of } from '../push/encoded.ts'

/**
 * To be called before the key is read: a change that is visible only afterwards finds it remembered.
 * @param text the key as the client has written it
 */
export function remember({ context: { store }, pushes }: Client, key: Uint8Array, text: Uint8Array): void {
  pushes.reads(latin1Of(key))
  if (!store.presentation.hasPlainKeys && !isAsShown(store.presentation.keyText, key, text)) pushes.neverKeeps(text)
}

/** Whether an invalidation would name the key as the client has written it. `007` is read as 7, for example. */
function isAsShown(keyText: (key: Uint8Array) => unknown, key: Uint8Array, text: Uint8Array): boolean {
  try {
    const shown = keyText(key)
    return shown instanceof Uint8Array && Buffer.compare(shown, text) === 0
  } catch {
    return false
  }
}
