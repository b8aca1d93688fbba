import type { BrokerAddress, Isolation } from '../store-protocol/client-config.ts'
import type { BackoffOptions } from './backoff.ts'
import type { ConnectionOptions } from './connection/connection-options.ts'

export interface ClientOptions extends ConnectionOptions {
  /** Name of this client in log lines, e.g. `source consumer`. */
  subject: string
  /** Seed brokers. The client tries them and every learned address in turn until one answers. */
  brokers: readonly BrokerAddress[]
  /** Deadline of a request that does not wait at the broker. */
  requestTimeoutMs: number
  /** Which end of a partition this client reads: the last stable offset or the high watermark. */
  isolation?: Isolation
  retryBackoff?: BackoffOptions
  /** Consecutive failures of one operation after which it fails. Infinity, the default, means never. */
  retriesMax?: number
  /** Interval of metadata refreshes for the topics in use. 0, the default: refresh only after a leader has changed. */
  metadataMaxAgeMs?: number
  /** Delay of a response after which other brokers are asked whether the cluster continues without that broker. */
  lateMs?: number
}
