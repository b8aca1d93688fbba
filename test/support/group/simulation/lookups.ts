/** Lookups of keys through any instance, over the routes that it has, and whether their answers are right. */
import type { InstanceFaults } from './faults.ts'
import type { SimulatedInstance } from './instance.ts'
import { isStranger, type SimulatedLog } from './log.ts'
import type { Surroundings } from './process.ts'

export interface LookupsOptions {
  logs: readonly SimulatedLog[]
  instances: () => readonly SimulatedInstance[]
  /** What every partition of the source had when the group began. */
  sourceEndAtStart: number
  /** Keys that are elsewhere are looked up: the plans know by now that there are some. */
  looksForStrangers: () => boolean
  faults: InstanceFaults
  fail: (found: string) => never
  /** A lookup has ended with an error, also with one of `fail`. */
  failed: (error: unknown) => void
}

/** What one instance says of a key. */
interface Said {
  kind: 'found' | 'missed' | 'elsewhere' | 'refused' | 'lost'
  by?: SimulatedInstance
  isPrimary?: boolean
  isComplete?: boolean
  /** Entries behind the end of the changelog; null if it is not known. */
  lag?: number | null
  /** End of the changelog that the lag was counted from. */
  end?: number
}

interface Wanted {
  /** Where the key is. */
  partition: number
  /** Where the partitioner puts it. */
  asked: number
  source: number
  /** End of the changelog when the lookup began. */
  end: number
}

const lostMs = 250

export class Lookups {
  readonly #around: Surroundings
  readonly #options: LookupsOptions
  /** Of all lookups: answers that were found, that were right misses, and that no instance could give. */
  readonly counts = { found: 0, missed: 0, unanswered: 0 }

  constructor(around: Surroundings, options: LookupsOptions) {
    this.#around = around
    this.#options = options
  }

  /** Looks up a key that the changelog has, or one that the source had when the group began. */
  begin(): void {
    const { logs, sourceEndAtStart, looksForStrangers } = this.#options
    const { random } = this.#around
    const running = this.#options.instances().filter(({ process }) => process.state === 'running')
    if (running.length === 0) return
    const through = random.pick(running)
    const partition = random.below(logs.length)
    const log = logs[partition]!
    const source = random.below(Math.max(log.records, sourceEndAtStart) + 1)
    const isElsewhere = log.hasStrangers && isStranger(source)
    if (isElsewhere && !looksForStrangers()) return
    const asked = isElsewhere ? (partition + 1) % logs.length : partition
    this.#look(through, { partition, asked, source, end: log.end }).catch(this.#options.failed)
  }

  async #look(through: SimulatedInstance, wanted: Wanted): Promise<void> {
    const said = await this.#ask(through, wanted.asked, wanted)
    const routes = through.plan?.routes ?? []
    if (said.kind === 'missed' && wanted.asked !== wanted.partition && this.#options.faults.scattersNothing !== true) {
      const isSuspected = routes.some(({ hasStrangers }) => hasStrangers)
      if (isSuspected) {
        const elsewhere = await this.#ask(through, wanted.partition, wanted)
        this.#judge(elsewhere, wanted, through)
        return
      }
    }
    this.#judge(said, wanted, through)
  }

  /** Asks the primary, then others that may answer, in the order of the routes. */
  async #ask(through: SimulatedInstance, partition: number, wanted: Wanted): Promise<Said> {
    const here = this.#answer(through, partition, wanted)
    if (here.isPrimary === true) return here
    const { plan } = through
    const route = plan?.routes[partition]
    const others = route === undefined ? [] : [route.primary, ...route.copies]
    for (const member of others) {
      const planned = plan!.members[member]
      if (planned === undefined || planned.memberId === through.memberId) continue
      const said = await this.#send(through, planned.url, planned.memberId, partition, wanted, 1)
      if (said.kind === 'found' || said.kind === 'missed') return said
      if (member === route!.primary && (here.kind === 'found' || here.kind === 'missed')) return here
    }
    return here
  }

  /** Sends a lookup to another instance, which answers it or not, but does not send it on. */
  async #send(
    from: SimulatedInstance,
    url: string,
    memberId: string,
    partition: number,
    wanted: Wanted,
    hops: number,
  ): Promise<Said> {
    if (hops > 1) this.#options.fail(`a lookup was sent on to ${url}`)
    const { random, clock } = this.#around
    const pause = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))
    await pause(1 + random.below(20))
    const to = this.#options.instances().find((one) => one.url === url)
    if (to === undefined || to.process.state === 'dead' || to.isRefusing) {
      from.process.run(() => void from.expulsions.suspect(memberId))
      return { kind: 'refused' }
    }
    if (to.process.state === 'stopped') {
      await pause(lostMs)
      return { kind: 'lost' }
    }
    const said = this.#answer(to, partition, wanted)
    if (said.kind === 'elsewhere' && this.#options.faults.sendsOn === true) {
      const next = to.plan?.members[to.plan.routes[partition]?.primary ?? -1]
      if (next && next.memberId !== to.memberId) {
        return this.#send(to, next.url, next.memberId, partition, wanted, hops + 1)
      }
    }
    if (to.memberId === memberId) from.expulsions.reached(memberId, url)
    await pause(1 + random.below(20))
    return said
  }

  #answer(by: SimulatedInstance, partition: number, { source, asked, partition: place }: Wanted): Said {
    const copy = by.copies.get(partition)
    if (copy === undefined) return { kind: 'elsewhere', by }
    const isPrimary = copy.state === 'primary'
    const isThere = partition === place && copy.has(source)
    const mayMiss = copy.isComplete && copy.isReady
    if (!isThere && !isPrimary && !mayMiss && this.#options.faults.answersIncomplete !== true) {
      return { kind: 'elsewhere', by }
    }
    const lag = isPrimary ? (by.claims(partition) ? 0 : null) : copy.lag(this.#around.clock.nowMs)
    const end = isPrimary ? (this.#options.logs[partition]?.end ?? 0) : copy.knownEnd
    // A primary that has not reached the end of the source says so with its miss; the planted defect does not.
    const isComplete = copy.isComplete || (!isPrimary && !mayMiss)
    // At its partition, the key that was asked for is elsewhere: this miss is right, and not final.
    if (!isThere && partition === asked && asked !== place) return { kind: 'missed', by, isPrimary, isComplete }
    return { kind: isThere ? 'found' : 'missed', by, isPrimary, isComplete, lag, end }
  }

  #judge(said: Said, { partition, source, end, asked }: Wanted, through: SimulatedInstance): void {
    if (said.kind === 'found') this.counts.found++
    else if (said.kind !== 'missed') this.counts.unanswered++
    if (said.kind !== 'missed') return
    this.counts.missed++
    const { logs, sourceEndAtStart, fail } = this.#options
    const offset = logs[partition]!.offsetOf(source)
    const which = `key ${source} of partition ${partition}, asked through ${through.name}: ${said.by?.name}`
    if (offset !== undefined && asked !== partition && said.lag === undefined && said.isPrimary === true) {
      fail(`${which} says that it is nowhere, and it is elsewhere`)
    }
    if (said.isComplete === true && source < sourceEndAtStart && offset === undefined) {
      fail(`${which} says that it does not exist, and the source had it before the group began`)
    }
    if (offset === undefined || said.lag === undefined || said.lag === null) return
    if (offset < Math.min(end, said.end!) - said.lag) {
      fail(`${which} says with a lag of ${said.lag} that it does not exist, and it is at ${offset}`)
    }
  }
}
