/** What a peer needs of its thread. */
import type { From } from './exchange.ts'
import type { HopKey } from './hop.ts'
import type { PeerTls } from './peer-connection.ts'
import type { ResponseBudget } from './response-reader.ts'

export interface PeerContext {
  readonly storeId: string
  readonly key: HopKey
  readonly tls: PeerTls
  readonly budget: ResponseBudget
  /** What requests say of this instance. */
  from(): From
  /** It is down, or up again. */
  changed(): void
  /** It has answered as the member that it is, for the first time. */
  reached(): void
  /** It has refused a connection: each time, because what follows may want a later one. */
  refused(): void
  /** tick() is to be called from now on. */
  begun(): void
}
