/** What a fault may lay hands on. */
import type { FaultRun } from '../support/fault-run/fault-run.ts'
import type { KafkaCluster } from '../support/kafka/index.ts'
import type { Random } from '../support/random.ts'
import type { SupervisedStore } from './supervised-store.ts'

export interface Scene {
  cluster: KafkaCluster
  run: FaultRun
  store: SupervisedStore
  random: Random
  partitions: number
  /** Sleeps for a random time. */
  pause(fromMs: number, toMs: number): Promise<void>
}
