/** Counts of the Redis protocol in shared memory, as LookupStats counts lookups over HTTP. */
import { type LookupOutcome, lookupOutcomes } from './lookup-stats.ts'
import { ThreadCounts } from './thread-counts.ts'

const connectionsAt = 0
const acceptedAt = 1
const subscriptionsAt = 2
const trackingClientsAt = 3
const trackedKeysAt = 4
const outcomesAt = 5

const outcomeIndex = Object.fromEntries(lookupOutcomes.map((name, index) => [name, outcomesAt + index])) as Record<
  LookupOutcome,
  number
>

const commandsAt = outcomesAt + lookupOutcomes.length
/** More than there are commands, so that the number of commands need not be known where memory is allocated. */
const commandsMax = 64

/** The counts of a thread. Each thread writes only its own counts, and any thread can sum up all of them. */
export class RespStats extends ThreadCounts {
  /** Labels of commands, by index. */
  readonly commands: readonly string[]

  /** Allocates shared memory for the counts of one thread. */
  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer((commandsAt + commandsMax) * Float64Array.BYTES_PER_ELEMENT)
  }

  /**
   * @param commands labels, the same in all threads
   * @param buffers of all threads
   * @param own index of this thread's buffer
   */
  constructor(commands: readonly string[], buffers: readonly SharedArrayBuffer[] = [RespStats.buffer()], own = 0) {
    if (commands.length > commandsMax) throw new RangeError(`There are more than ${commandsMax} commands`)
    super(
      buffers.map((buffer) => new Float64Array(buffer)),
      own,
    )
    this.commands = commands
  }

  opened(): void {
    this.own[connectionsAt]! += 1
    this.own[acceptedAt]! += 1
  }

  closed(): void {
    this.own[connectionsAt]! -= 1
  }

  /** @param index of the command's label */
  command(index: number): void {
    this.own[commandsAt + index]! += 1
  }

  lookup(outcome: LookupOutcome): void {
    this.own[outcomeIndex[outcome]]! += 1
  }

  addSubscriptions(count: number): void {
    this.own[subscriptionsAt]! += count
  }

  addTrackingClients(count: number): void {
    this.own[trackingClientsAt]! += count
  }

  addTrackedKeys(count: number): void {
    this.own[trackedKeysAt]! += count
  }

  /** Channels and patterns that clients have subscribed to; each counts once for each client. */
  get subscriptions(): number {
    return this.sum(subscriptionsAt)
  }

  /** Clients with tracking on. */
  get trackingClients(): number {
    return this.sum(trackingClientsAt)
  }

  /** Keys that are remembered because clients have read them; each counts once for each client. */
  get trackedKeys(): number {
    return this.sum(trackedKeysAt)
  }

  /** Open connections. */
  get connections(): number {
    return this.sum(connectionsAt)
  }

  /** Connections since the start. */
  get accepted(): number {
    return this.sum(acceptedAt)
  }

  get allCommands(): number {
    return this.commands.reduce((sum, _, index) => sum + this.countOf(index), 0)
  }

  countOf(index: number): number {
    return this.sum(commandsAt + index)
  }

  lookups(outcome: LookupOutcome): number {
    return this.sum(outcomeIndex[outcome])
  }

  get allLookups(): number {
    return lookupOutcomes.reduce((sum, outcome) => sum + this.lookups(outcome), 0)
  }
}
