/** What a fault may lay hands on. */
import type { FaultRun } from '../integration/fault-support/fault-run.ts'
import type { Random } from '../integration/fault-support/random.ts'
import type { KafkaCluster } from '../kafka/index.ts'
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
