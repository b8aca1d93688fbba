/** A group that chance runs: instances start, stop, are killed, stopped and cut off, and the coordinator fails. */
import { drainMicrotasks } from 'bun:jsc'
import { Random } from '../../random.ts'
import { SimulatedClock } from './clock.ts'
import { SimulatedCoordinator } from './coordinator.ts'
import { type InstanceFaults, SimulatedInstance } from './instance.ts'
import { SimulatedLog } from './log.ts'
import type { Surroundings } from './process.ts'

export interface WorldOptions {
  faults?: InstanceFaults
}

const chaosMs = 45_000
const calmMs = 120_000
const lastStepsMs = 8_000
const restMs = 15_000
const instancesMax = 5
const linesMax = 60

/** What was found wrong, with the history before it. */
export class Violation extends Error {}

export class World {
  readonly #random: Random
  readonly #around: Surroundings
  readonly #clock = new SimulatedClock()
  readonly #logs: SimulatedLog[]
  readonly #standbys: number
  /** At most between two disturbances: some groups have time in between, others have none. */
  readonly #paceMs: number
  readonly #options: WorldOptions
  readonly #history: string[] = []
  #instances: SimulatedInstance[] = []
  #started = 0
  #sourceEnd: number
  readonly #sourceEndAtStart: number
  #isCalm = false

  constructor(seed: number, options: WorldOptions = {}) {
    this.#random = new Random(seed)
    this.#options = options
    const coordinator = new SimulatedCoordinator(this.#clock)
    this.#around = { clock: this.#clock, random: this.#random, coordinator, isDown: false, loss: 0 }
    this.#logs = Array.from({ length: 1 + this.#random.below(6) }, () => new SimulatedLog())
    this.#standbys = this.#random.below(3)
    this.#paceMs = this.#random.pick([1_500, 5_000, 12_000])
    this.#sourceEnd = this.#random.below(60)
    this.#sourceEndAtStart = this.#sourceEnd
  }

  /** @throws Violation */
  run(): void {
    for (let first = 1 + this.#random.below(3); first > 0; first--) this.#start()
    this.#act()
    this.#runUntil(chaosMs, () => false)
    this.#heal()
    const isSettled = () => this.#whyUnsettled() === undefined
    if (!this.#runUntil(chaosMs + calmMs, isSettled)) this.#fail(`in calm: ${this.#whyUnsettled()}`)
    // The last steps, such as the end of a session. Then nothing is wanted any more: no generation follows.
    this.#runUntil(this.#clock.nowMs + lastStepsMs, () => false)
    const { generation } = this.#around.coordinator
    this.#runUntil(this.#clock.nowMs + restMs, () => false)
    if (this.#around.coordinator.generation > generation + 1) this.#fail('in calm: the group does not come to rest')
    if (this.#whyUnsettled() !== undefined) this.#fail(`in calm: ${this.#whyUnsettled()}`)
  }

  #runUntil(untilMs: number, isEnough: () => boolean): boolean {
    for (let events = 0; this.#clock.step(untilMs); events++) {
      drainMicrotasks()
      this.#check()
      if (events % 64 === 0 && isEnough()) return true
    }
    return isEnough()
  }

  #check(): void {
    for (const [partition, log] of this.#logs.entries()) {
      const claiming = this.#instances.filter((one) => one.claims(partition))
      if (claiming.length > 1) {
        this.#fail(`${claiming.map(({ name }) => name).join()} both claim partition ${partition}`)
      }
      this.#checkLog(partition, log)
    }
  }

  readonly #checked = new Map<SimulatedLog, { offset: number; source: number; epoch: number }>()

  /** Every record of the source once, in order; and a complete plan knows all that was there at the beginning. */
  #checkLog(partition: number, log: SimulatedLog): void {
    const at = this.#checked.get(log) ?? { offset: 0, source: 0, epoch: -1 }
    for (; at.offset < log.end; at.offset++) {
      const { epoch, source } = log.entries[at.offset]!
      if (epoch < at.epoch) this.#fail(`partition ${partition}: epoch ${epoch} after ${at.epoch}`)
      at.epoch = epoch
      if (source === undefined) continue
      if (source !== at.source) this.#fail(`partition ${partition}: record ${source} in place of ${at.source}`)
      at.source++
    }
    this.#checked.set(log, at)
    if (at.source >= this.#sourceEndAtStart) return
    const believing = this.#instances.find(({ plan }) => plan?.routes[partition]?.isComplete === true)
    if (believing) this.#fail(`${believing.name} takes partition ${partition} for complete with ${at.source} records`)
  }

  #start(): void {
    const instance: SimulatedInstance = new SimulatedInstance(this.#around, {
      number: this.#started++,
      standbys: this.#standbys,
      logs: this.#logs,
      sourceEnd: () => this.#sourceEnd,
      membership: {
        sessionTimeoutMs: 6_000,
        rebalanceTimeoutMs: 6_000,
        heartbeatMs: 1_000,
      },
      faults: this.#options.faults ?? {},
      say: (line) => this.#say(line),
    })
    this.#instances.push(instance)
    this.#say(`${instance.name} starts`)
  }

  get #alive(): SimulatedInstance[] {
    return this.#instances.filter(({ process }) => process.state !== 'dead')
  }

  #act(): void {
    if (this.#isCalm) return
    this.#clock.after(100 + this.#random.below(this.#paceMs), () => this.#act())
    this.#sourceEnd += this.#random.below(10)
    const alive = this.#alive
    const one = alive.length === 0 ? undefined : this.#random.pick(alive)
    const action = this.#random.pick([
      'start',
      'start',
      'kill',
      'stop',
      'pause',
      'pause',
      'cut',
      'down',
      'fail-over',
      'loss',
      'expel',
    ])
    this.#say(`${action} ${one?.name}`)
    if (action === 'start' && alive.length < instancesMax) this.#start()
    else if (action === 'down') this.#bringDown()
    else if (action === 'fail-over') this.#around.coordinator.failOver()
    else if (action === 'loss') this.#around.loss = this.#random.pick([0, 0, 0.02, 0.2])
    else if (one === undefined) this.#start()
    else if (action === 'kill') one.kill()
    else if (action === 'stop') one.stop()
    else if (action === 'pause') this.#pause(one)
    else if (action === 'cut') this.#cut(one)
    else if (action === 'expel') this.#expel(one)
  }

  #bringDown(): void {
    this.#around.isDown = true
    this.#clock.after(200 + this.#random.below(10_000), () => {
      this.#around.isDown = false
      this.#around.coordinator.failOver()
    })
  }

  #pause(one: SimulatedInstance): void {
    if (one.process.state !== 'running') return
    one.process.state = 'stopped'
    this.#clock.after(100 + this.#random.below(15_000), () => one.process.continue())
  }

  #cut(one: SimulatedInstance): void {
    one.process.isCut = true
    this.#clock.after(100 + this.#random.below(15_000), () => {
      one.process.isCut = false
    })
  }

  /** Another instance removes one that is dead. */
  #expel(by: SimulatedInstance): void {
    const dead = this.#instances.findLast(({ process }) => process.state === 'dead')
    const memberId = dead?.membership.identity?.memberId
    if (memberId !== undefined) by.process.run(() => void by.membership.expel(memberId).catch(() => {}))
  }

  #heal(): void {
    this.#isCalm = true
    this.#around.loss = 0
    if (this.#around.isDown) this.#around.coordinator.failOver()
    this.#around.isDown = false
    for (const { process } of this.#alive) {
      process.isCut = false
      process.continue()
    }
    if (this.#alive.every(({ isLeaving }) => isLeaving)) this.#start()
    this.#say('calm')
  }

  #whyUnsettled(): string | undefined {
    const alive = this.#alive
    if (alive.some(({ isLeaving }) => isLeaving)) return 'an instance has not left'
    const copiesMin = Math.min(this.#standbys, alive.length - 1) + 1
    const counts = new Map(alive.map((one) => [one, 0]))
    for (const partition of this.#logs.keys()) {
      const claiming = alive.filter((one) => one.claims(partition))
      if (claiming.length !== 1) return `${claiming.length} instances claim partition ${partition}`
      counts.set(claiming[0]!, counts.get(claiming[0]!)! + 1)
      const copies = alive.filter((one) => one.copies.get(partition)?.isReady === true)
      if (copies.length < copiesMin) return `${copies.length} copies of partition ${partition}`
      if (this.#logs[partition]!.upTo(this.#logs[partition]!.end).nextSource < this.#sourceEnd) {
        return 'the source is not read'
      }
      if (alive.some(({ plan }) => plan?.routes[partition]?.isComplete !== true)) {
        return `partition ${partition} is not complete`
      }
    }
    const spread = Math.max(...counts.values()) - Math.min(...counts.values())
    return spread > 1 ? `unbalanced: ${[...counts.values()].join()}` : undefined
  }

  #say(line: string): void {
    this.#history.push(`${(this.#clock.nowMs / 1000).toFixed(3)} ${line}`)
    if (this.#history.length > linesMax) this.#history.shift()
  }

  #fail(found: string): never {
    throw new Violation(`seed ${this.#random.seed}: ${found}\n${this.#history.join('\n')}`)
  }
}
