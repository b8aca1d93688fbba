/** A group that chance runs: instances start, stop, are killed, stopped and cut off, and the coordinator fails. */
import { drainMicrotasks } from 'bun:jsc'
import { Random } from '../../random.ts'
import { SimulatedClock } from './clock.ts'
import { SimulatedCoordinator } from './coordinator.ts'
import { Disturbances } from './disturbances.ts'
import type { InstanceFaults } from './faults.ts'
import { SimulatedInstance } from './instance.ts'
import { SimulatedLog } from './log.ts'
import { Lookups } from './lookups.ts'
import { Invariants, whyUnsettled } from './outcome.ts'
import type { Surroundings } from './process.ts'
import { fitnessOf, type Profile, profileOf } from './profile.ts'

export interface WorldOptions {
  faults?: InstanceFaults
  /** In place of what chance decides. */
  profile?: Partial<Profile>
}

const chaosMs = 45_000
const calmMs = 120_000
const lastStepsMs = 8_000
const restMs = 15_000
const lookupMs = 150
const linesMax = 60
/** In `restMs`: members that undo what others do would make one every two seconds. */
const roomyPlansMax = 6

/** What was found wrong, with the history before it. */
export class Violation extends Error {}

export class World {
  readonly profile: Profile
  readonly lookups: Lookups
  readonly #random: Random
  readonly #around: Surroundings
  readonly #clock = new SimulatedClock()
  readonly #logs: SimulatedLog[] = []
  readonly #options: WorldOptions
  readonly #invariants: Invariants
  readonly #disturbances: Disturbances
  readonly #history: string[] = []
  #instances: SimulatedInstance[] = []
  #started = 0
  #sourceEnd: number
  #isSettled = false
  /** Kept as well, because a promise may swallow it. */
  #found: unknown
  #generation = 0
  #plannedAtMs = 0

  constructor(seed: number, options: WorldOptions = {}) {
    this.#random = new Random(seed)
    this.#options = options
    const { faults = {}, profile } = options
    const coordinator = new SimulatedCoordinator(this.#clock)
    this.#around = { clock: this.#clock, random: this.#random, coordinator, isDown: false, loss: 0 }
    this.profile = { ...profileOf(this.#random), ...profile }
    for (let partition = 0; partition < this.profile.partitions; partition++) this.#addPartition()
    this.#sourceEnd = this.#random.below(60)
    const fail = (found: string) => this.#fail(found)
    this.#invariants = new Invariants(this.#logs, this.#sourceEnd, fail)
    this.lookups = new Lookups(this.#around, {
      logs: this.#logs,
      instances: () => this.#instances,
      sourceEndAtStart: this.#sourceEnd,
      looksForStrangers: () => this.#isSettled,
      faults,
      fail,
      failed: (error) => {
        this.#found ??= error
      },
    })
    this.#disturbances = new Disturbances(this.#around, this.profile, {
      alive: () => this.#alive,
      start: () => this.#start(),
      grow: () => this.#addPartition(),
      produce: (records) => {
        this.#sourceEnd += records
      },
      say: (line) => this.#say(line),
    })
  }

  /** @throws Violation */
  run(): void {
    for (let first = 1 + this.#random.below(3); first > 0; first--) this.#start()
    this.#disturbances.begin()
    this.#look()
    this.#runUntil(chaosMs, () => false)
    this.#disturbances.end()
    this.#say('calm')
    const isSettled = () => this.#whyUnsettled() === undefined
    if (!this.#runUntil(chaosMs + calmMs, isSettled)) this.#fail(`in calm: ${this.#whyUnsettled()}`)
    // The last steps, such as the end of a session. Then nothing is wanted any more: no generation follows.
    this.#runUntil(this.#clock.nowMs + lastStepsMs, () => false)
    this.#isSettled = true
    const { generation } = this.#around.coordinator
    this.#runUntil(this.#clock.nowMs + restMs, () => false)
    // Where memory is short, a copy that was dropped makes room for another one, which the next plan has.
    const plansMax = this.profile.hasRoom ? roomyPlansMax : 1
    if (this.#around.coordinator.generation > generation + plansMax) {
      this.#fail('in calm: the group does not come to rest')
    }
    if (this.profile.hasRoom) return
    if (this.#whyUnsettled() !== undefined) this.#fail(`in calm: ${this.#whyUnsettled()}`)
  }

  #runUntil(untilMs: number, isEnough: () => boolean): boolean {
    for (let events = 0; this.#clock.step(untilMs); events++) {
      drainMicrotasks()
      if (this.#found !== undefined) throw this.#found
      this.#invariants.check(this.#instances)
      this.#noteGeneration()
      if (events % 64 === 0 && isEnough()) return true
    }
    return isEnough()
  }

  #noteGeneration(): void {
    const { generation } = this.#around.coordinator
    if (generation === this.#generation) return
    this.#generation = generation
    this.#plannedAtMs = this.#clock.nowMs
  }

  #look(): void {
    this.lookups.begin()
    this.#clock.after(lookupMs, () => this.#look())
  }

  #addPartition(): void {
    this.#logs.push(new SimulatedLog(1 + this.#random.below(10), this.profile.hasStrangers))
  }

  #start(): void {
    const total = this.#logs.reduce((bytes, log) => bytes + log.bytes, 0)
    const room = Math.ceil(total * (0.4 + this.#random.next()))
    const instance: SimulatedInstance = new SimulatedInstance(this.#around, {
      number: this.#started++,
      standbys: this.profile.standbys,
      fitness: fitnessOf(this.#random, this.profile),
      roomBytes: this.profile.hasRoom ? room : Number.POSITIVE_INFINITY,
      logs: this.#logs,
      sourceEnd: () => this.#sourceEnd,
      membership: { sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, heartbeatMs: this.profile.heartbeatMs },
      faults: this.#options.faults ?? {},
      isRefused: (url) => {
        const one = this.#instances.find((other) => other.url === url)
        return one === undefined || one.process.state === 'dead' || one.isRefusing
      },
      say: (line) => this.#say(line),
      fail: (found) => this.#fail(found),
    })
    this.#instances = [...this.#alive, instance]
    this.#say(`${instance.name} starts: ${instance.fitness}`)
  }

  get #alive(): SimulatedInstance[] {
    return this.#instances.filter(({ process }) => process.state !== 'dead')
  }

  #whyUnsettled(): string | undefined {
    const instances = this.#alive.filter(({ fitness }) => fitness === 'fit')
    const quietMs = this.#clock.nowMs - this.#plannedAtMs
    return whyUnsettled({ logs: this.#logs, instances, profile: this.profile, sourceEnd: this.#sourceEnd, quietMs })
  }

  #say(line: string): void {
    this.#history.push(`${(this.#clock.nowMs / 1000).toFixed(3)} ${line}`)
    if (this.#history.length > linesMax) this.#history.shift()
  }

  #fail(found: string): never {
    const violation = new Violation(`seed ${this.#random.seed}: ${found}\n${this.#history.join('\n')}`)
    this.#found ??= violation
    throw violation
  }
}
