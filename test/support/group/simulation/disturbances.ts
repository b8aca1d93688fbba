/** What chance does to a group. */
import type { SimulatedInstance } from './instance.ts'
import type { Surroundings } from './process.ts'
import { partitionsMax, type Profile } from './profile.ts'

export interface Disturbed {
  alive: () => SimulatedInstance[]
  start: () => void
  /** Adds a partition. */
  grow: () => void
  produce: (records: number) => void
  say: (line: string) => void
}

const instancesMax = 5
const always = ['start', 'start', 'kill', 'stop', 'fail-over'] as const
/** Of the network and of processes that stand still. */
const silences = ['pause', 'pause', 'cut', 'down', 'loss'] as const
const refusals = ['refuse', 'refuse', 'refuse'] as const

export class Disturbances {
  readonly #around: Surroundings
  readonly #profile: Profile
  readonly #disturbed: Disturbed
  readonly #actions: readonly string[]
  #partitions: number
  #isCalm = false

  constructor(around: Surroundings, profile: Profile, disturbed: Disturbed) {
    this.#around = around
    this.#profile = profile
    this.#disturbed = disturbed
    this.#partitions = profile.partitions
    const growth = profile.isGrowing ? ['grow'] : []
    this.#actions = [...always, ...(profile.hasRefusals ? refusals : silences), ...growth]
  }

  begin(): void {
    const { random, clock } = this.#around
    if (this.#isCalm) return
    clock.after(100 + random.below(this.#profile.paceMs), () => this.begin())
    const { alive, start, produce, say } = this.#disturbed
    produce(random.below(10))
    const living = alive()
    const one = living.length === 0 ? undefined : random.pick(living)
    const action = random.pick(this.#actions)
    say(`${action} ${one?.name}`)
    if (action === 'start' && living.length < instancesMax) start()
    else if (action === 'down') this.#bringDown()
    else if (action === 'fail-over') this.#around.coordinator.failOver()
    else if (action === 'loss') this.#around.loss = random.pick([0, 0, 0.02, 0.2])
    else if (action === 'grow') this.#grow()
    else if (one === undefined) start()
    else if (action === 'kill') one.kill()
    else if (action === 'stop') one.stop()
    else if (action === 'pause') this.#pause(one)
    else if (action === 'cut') this.#cut(one)
    else if (action === 'refuse') this.#refuse(one)
  }

  /** Mends everything. Instances that do not fit stay where those that do are more. */
  end(): void {
    this.#isCalm = true
    this.#around.loss = 0
    if (this.#around.isDown) this.#around.coordinator.failOver()
    this.#around.isDown = false
    for (const { process } of this.#disturbed.alive()) {
      process.isCut = false
      process.continue()
    }
    const living = this.#disturbed.alive()
    const odd = living.filter(({ fitness }) => fitness !== 'fit')
    const fit = living.filter(({ fitness, isLeaving }) => fitness === 'fit' && !isLeaving)
    if (fit.length <= odd.length) for (const one of odd) one.kill()
    while (!this.#disturbed.alive().some(({ fitness, isLeaving }) => fitness === 'fit' && !isLeaving)) {
      for (const one of this.#disturbed.alive()) if (one.fitness !== 'fit') one.kill()
      this.#disturbed.start()
    }
  }

  #bringDown(): void {
    this.#around.isDown = true
    this.#around.clock.after(200 + this.#around.random.below(10_000), () => {
      this.#around.isDown = false
      this.#around.coordinator.failOver()
    })
  }

  #grow(): void {
    if (this.#partitions >= partitionsMax) return
    this.#partitions++
    this.#disturbed.grow()
  }

  #pause(one: SimulatedInstance): void {
    if (one.process.state !== 'running') return
    one.process.state = 'stopped'
    this.#around.clock.after(100 + this.#around.random.below(15_000), () => one.process.continue())
  }

  #cut(one: SimulatedInstance): void {
    one.process.isCut = true
    this.#around.clock.after(100 + this.#around.random.below(15_000), () => {
      one.process.isCut = false
    })
  }

  #refuse(one: SimulatedInstance): void {
    one.isRefusing = true
    this.#around.clock.after(100 + this.#around.random.below(3_000), () => {
      one.isRefusing = false
    })
  }
}
