import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import type { FromThread, ToThread } from '../../../lib/store-protocol/thread-messages.ts'
import type { StorePortEvents } from '../../../lib/store/store-port.ts'
import { StoreThreadHandle } from '../../../lib/store/store-thread-handle.ts'

/** A handle whose store thread is the test. */
export function startHandle() {
  const posted: ToThread[] = []
  let thread: StorePortEvents | undefined
  const access = {
    readerThread: 0,
    open(_: unknown, __: unknown, events: StorePortEvents) {
      thread = events
      return { post: (message: ToThread) => void posted.push(message), terminate: () => {} }
    },
  }
  const events = { opened: () => {}, state: () => {}, caughtUp: () => {}, grown: () => {}, changed: () => {} }
  const config = { storeId: 'store', readerPoolSize: 1 } as StoreConfig
  const handle = new StoreThreadHandle(config, { level: 'error', structured: false }, events, access)
  const receive = (message: FromThread) => thread!.received(message)
  return { handle, receive, ended: (message?: string) => thread!.ended(message), posted }
}
