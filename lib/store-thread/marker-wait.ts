/**
 * The wait of a replica for the marker of this instance's own fence, which is the end of everything that earlier owners
 * were able to write. The marker may be read before the fence is answered, so markers are remembered from before it on.
 */
import type { RecordBatchReader } from '../kafka/record-batch/index.ts'
import type { ProducerIdentity } from '../kafka/transactional-id.ts'
import { BrokerClock } from './broker-clock.ts'

/** Maximum number of markers that are remembered: those of others that fence at the same time. */
const markersMax = 64

interface Marker extends ProducerIdentity {
  /** Changelog offset after the marker. */
  readonly next: number
  readonly clock: BrokerClock
}

export class MarkerWait {
  #markers: Marker[] = []
  #identity: (() => ProducerIdentity | undefined) | undefined
  #end: Marker | undefined
  readonly #found = Promise.withResolvers<void>()

  /** Resolves when the own marker was read. */
  get found(): Promise<void> {
    return this.#found.promise
  }

  /** The own marker, or one of a later epoch; undefined before it was read. */
  get end(): Marker | undefined {
    return this.#end
  }

  /** Notes a control batch. @returns whether it is the own marker */
  note({ producerId, producerEpoch, nextOffset, maxTimestamp }: RecordBatchReader): boolean {
    if (this.#end !== undefined) return false
    this.#markers.push({ producerId, producerEpoch, next: nextOffset, clock: new BrokerClock(maxTimestamp) })
    if (this.#markers.length > markersMax) this.#markers.shift()
    return this.#look()
  }

  /** To be called when the fence is answered. @param identity changes when the partition is fenced again */
  fenced(identity: () => ProducerIdentity | undefined): void {
    this.#identity = identity
    this.#look()
  }

  #look(): boolean {
    const identity = this.#identity?.()
    if (identity === undefined) return false
    const isOwn = (one: Marker) => one.producerId === identity.producerId && one.producerEpoch >= identity.producerEpoch
    this.#end = this.#markers.find(isOwn)
    if (this.#end === undefined) return false
    this.#markers = []
    this.#found.resolve()
    return true
  }
}
