import type { FromThread, ToThread } from '../../lib/store-protocol/messages.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { Shard } from '../../lib/store/shard.ts'
import type { StorePortEvents } from '../../lib/store/store-port.ts'

/** A shard whose store thread is the test. */
export function startShard() {
  const posted: ToThread[] = []
  let thread: StorePortEvents | undefined
  const access = {
    readerThread: 0,
    open(_: unknown, __: unknown, events: StorePortEvents) {
      thread = events
      return { post: (message: ToThread) => void posted.push(message), terminate: () => {} }
    },
  }
  const events = { opened: () => {}, state: () => {}, caughtUp: () => {}, grown: () => {} }
  const config = { storeId: 'store', readerPoolSize: 1 } as StoreConfig
  const shard = new Shard(config, { level: 'error', structured: false }, events, access)
  const receive = (message: FromThread) => thread!.received(message)
  return { shard, receive, ended: (message?: string) => thread!.ended(message), posted }
}
