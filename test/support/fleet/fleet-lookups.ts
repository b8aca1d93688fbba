/** Looks keys up at all instances of a fleet, as clients behind a load balancer do, and notes what it must not answer. */
import { type FleetRead, provenanceOf } from './fleet-history.ts'
import type { FleetInstance, Life } from './fleet-instance.ts'
import { LookupTally } from './lookup-tally.ts'
import { Standstill } from './standstill.ts'

export interface LookupOptions {
  /** A second. */
  rate: number
  /** At the same time. Each key is asked for by one client only, so that the answers have an order. */
  clients: number
  /** Part of the lookups with `max-lag=0`. */
  strict: number
  /** Keeps every answer, for the checker. */
  keepsReads: boolean
  /** Asks the owner that a 421 names: ROUTING=none. */
  follows: boolean
  /** SERVER_TOKEN of the instances. */
  token: string | undefined
  /** Whether a lookup may be refused with this body: a row's own judgement. */
  mayRefuse: (problem: string) => boolean
}

const optionsDefault: LookupOptions = {
  rate: 500,
  clients: 16,
  strict: 0.3,
  keepsReads: false,
  follows: false,
  token: undefined,
  mayRefuse: () => false,
}
const followsMax = 20
const followMs = 50
const timeoutMs = 5_000
const noTargetMs = 5
/** Half of what an instance has to answer: the test has used up the rest. */
const stoodMs = 1_000
/** Codes of 503 by which `max-lag=0` may be refused while no instance can vouch for the newest value. */
const refusals = ['too_stale', 'owner_unreachable']

export class FleetLookups {
  readonly tally = new LookupTally()
  readonly reads: FleetRead[] = []
  readonly #storeId: string
  readonly #instances: () => readonly FleetInstance[]
  readonly #lasting: readonly string[]
  readonly #passing: readonly string[]
  readonly #options: LookupOptions
  /** Of each key in each partition the highest offset that an answer to `max-lag=0` had. */
  readonly #shown = new Map<string, number>()
  /** By number; undefined for those of which only the id is known. */
  readonly #lives: (Life | undefined)[] = []
  /** By id in the group. */
  readonly #numbers = new Map<string, number>()
  readonly #standstill = new Standstill()
  #running: Promise<unknown> | undefined
  #stopping = false
  #turn = 0

  constructor(
    storeId: string,
    instances: () => readonly FleetInstance[],
    keys: { lasting: readonly string[]; passing: readonly string[] },
    options: Partial<LookupOptions> = {},
  ) {
    this.#storeId = storeId
    this.#instances = instances
    this.#lasting = keys.lasting
    this.#passing = keys.passing
    this.#options = { ...optionsDefault, ...options }
  }

  start(): void {
    this.#stopping = false
    this.#standstill.start()
    const { clients } = this.#options
    this.#running = Promise.all(Array.from({ length: clients }, (_, client) => this.#run(client)))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
    this.#standstill.stop()
  }

  /** All answers, once the names of all instances are known. */
  get history(): FleetRead[] {
    const lives = this.#instances().flatMap((one) => one.lives)
    const same = new Map(
      lives.flatMap((life) => {
        const number = life.id === undefined ? undefined : this.#numbers.get(life.id)
        return number === undefined ? [] : [[number, this.numberOf(life)] as const]
      }),
    )
    return this.reads.map((read) => ({ ...read, instance: same.get(read.instance) ?? read.instance }))
  }

  /** Number of a life of an instance, by which reads name it. */
  numberOf(life: Life): number {
    const known = this.#lives.indexOf(life)
    return known < 0 ? this.#lives.push(life) - 1 : known
  }

  async #run(client: number): Promise<void> {
    const { clients, rate, strict } = this.#options
    const intervalMs = (clients * 1_000) / rate
    const own = (keys: readonly string[]) => keys.filter((_, index) => index % clients === client)
    const keys = { lasting: own(this.#lasting), passing: own(this.#passing) }
    let due = performance.now() + Math.random() * intervalMs
    for (let turn = 0; !this.#stopping; turn++) {
      const target = this.#target()
      if (target === undefined) await Bun.sleep(noTargetMs)
      else {
        const pool = keys.passing.length > 0 && turn % 5 === 0 ? keys.passing : keys.lasting
        const key = pool[Math.floor(Math.random() * pool.length)]!
        await this.#look(key, target, pool === keys.lasting, Math.random() < strict ? 0 : undefined)
      }
      due = Math.max(due + intervalMs, performance.now() - intervalMs)
      await Bun.sleep(Math.max(0, due - performance.now()))
    }
  }

  /** One that a load balancer holds ready, by turns. */
  #target(): FleetInstance | undefined {
    const ready = this.#instances().filter((one) => one.isReady)
    return ready.length === 0 ? undefined : ready[this.#turn++ % ready.length]
  }

  async #look(key: string, target: FleetInstance, isLasting: boolean, maxLag: number | undefined): Promise<void> {
    const { tally } = this
    const life = target.life!
    const sentAt = performance.now()
    const isExcused = () => (life.disturbedAt ?? -1) >= sentAt || life !== target.life
    try {
      const path = `/stores/${this.#storeId}/${key}${maxLag === undefined ? '' : `?max-lag=${maxLag}`}`
      const { answer, text } = await this.#ask(`${target.url}`, path)
      const answeredAt = performance.now()
      if (answer.status !== 200 && answer.status !== 404) {
        if (maxLag !== undefined && refusals.some((code) => text.includes(`"code":"${code}"`))) tally.refused++
        else if (isExcused() || this.#options.mayRefuse(text)) tally.excused++
        else if (this.#standstill.since(sentAt) >= stoodMs) tally.stood++
        else tally.failure('failed', target.name, key, `${answer.status} ${text.trim()}`)
        return
      }
      tally.answered++
      tally.took(sentAt, answeredAt - sentAt)
      const { role, lag, by, partition, offset: src } = provenanceOf(answer.headers)
      if (by !== null) tally.forwarded++
      if (role === 'replica') tally.byReplica++
      if (answer.status === 404 && isLasting) tally.failure('wrongMisses', target.name, key, text.trim())
      const shown = `${text} by ${by ?? 'itself'}, ${role}`
      if (answer.status === 200 && maxLag === 0) this.#compare(`${key} in ${partition}`, target, src, shown)
      if (!this.#options.keepsReads) return
      const asked = this.numberOf(life)
      const instance = by === null ? asked : this.#numberOfId(by)
      const value = answer.status === 200 ? text : null
      this.reads.push({ key, value, src, partition, instance, asked, sentAt, answeredAt, maxLag, role, lag })
    } catch (error) {
      if (isExcused()) tally.excused++
      else if (this.#standstill.since(sentAt) >= stoodMs) tally.stood++
      else tally.failure('failed', target.name, key, (error as Error).message)
    }
  }

  /** Follows what an instance says of the owner, if that is asked for. */
  async #ask(url: string, path: string): Promise<{ answer: Response; text: string }> {
    const signal = AbortSignal.timeout(timeoutMs)
    const { token } = this.#options
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
    for (let at = url, tries = 1; ; tries++) {
      const answer = await fetch(at + path, { signal, headers })
      const text = await answer.text()
      const owner = answer.status === 421 && this.#options.follows && tries < followsMax ? ownerIn(text) : undefined
      if (owner === undefined) return { answer, text }
      at = owner
      if (tries > 1) await Bun.sleep(followMs)
    }
  }

  #compare(key: string, target: FleetInstance, src: number, found: string): void {
    const before = this.#shown.get(key) ?? -1
    if (src < before) this.tally.failure('wentBack', target.name, key, `offset ${src} after ${before}: ${found}`)
    this.#shown.set(key, Math.max(src, before))
  }

  /** An answer may name an instance before anything else is known of it. */
  #numberOfId(id: string): number {
    return this.#numbers.get(id) ?? this.#named(id, this.#lives.push(undefined) - 1)
  }

  #named(id: string, number: number): number {
    this.#numbers.set(id, number)
    return number
  }
}

/** Without a slash at the end. */
function ownerIn(problem: string): string | undefined {
  const { owner } = JSON.parse(problem) as { owner?: string }
  return owner?.replace(/\/$/, '')
}
