/** One place where an instance runs: the executable, started, stopped, killed and started again, behind an address that stays. */
import { chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import type { PartitionStatus, StoreStatus } from '../../../lib/store-protocol/status.ts'
import { builtExecutable } from '../binary/built.ts'
import { LatchkeyProcess, localPort, type StartOptions } from '../binary/latchkey-process.ts'
import { InstanceProxy } from './instance-proxy.ts'

const pollMs = 50
const answerTimeoutMs = 2_000
/** Mode of a folder whose files other users may use. */
const enterable = 0o711

export interface Place {
  name: string
  storeId: string
  settings: Readonly<Record<string, string>>
  /** Whether the others reach it through a proxy, which its ADVERTISED_URL then names. */
  isBehindProxy: boolean
  executable?: string | undefined
  /** Number of another user that runs it, by which its packets are known. Only root can do that. */
  user?: number | undefined
}

/** From a start of its process to the next. */
export interface Life {
  /** By which answers of other instances name it; undefined before its first plan, and without a group. */
  id?: string
  /** When, by performance.now(), the test did something to it after which it owes no answer. */
  disturbedAt?: number
}

export class FleetInstance {
  readonly name: string
  readonly lives: Life[] = []
  readonly proxy: InstanceProxy | undefined
  /** Output of lives that have ended. */
  readonly outputs: string[] = []
  readonly #place: Place
  #settings: Place['settings']
  #process: LatchkeyProcess | undefined
  #isReady = false
  #watching: Promise<void> | undefined
  #closing = false

  static async at(place: Place): Promise<FleetInstance> {
    const here: { instance?: FleetInstance } = {}
    const proxy = place.isBehindProxy ? await InstanceProxy.listen(() => here.instance?.port) : undefined
    here.instance = new FleetInstance(place, proxy)
    return here.instance
  }

  private constructor(place: Place, proxy: InstanceProxy | undefined) {
    this.#place = place
    this.#settings = place.settings
    this.name = place.name
    this.proxy = proxy
  }

  get process(): LatchkeyProcess {
    if (this.#process === undefined) throw new Error(`use instance ${this.name}: it was never started`)
    return this.#process
  }

  get isRunning(): boolean {
    return this.#process?.isAlive === true
  }

  /** As a load balancer knows it, which asks every 50 ms. */
  get isReady(): boolean {
    return this.isRunning && this.#isReady
  }

  get life(): Life | undefined {
    return this.lives.at(-1)
  }

  get url(): string | undefined {
    return this.#process?.url
  }

  get port(): number | undefined {
    return this.url === undefined ? undefined : Number(new URL(this.url).port)
  }

  /** Resolves when the process runs. */
  async start(): Promise<void> {
    await this.#retire()
    this.#isReady = false
    this.lives.push({})
    this.#process = await LatchkeyProcess.start({
      settings: {
        ...localPort,
        ...(this.proxy && { ADVERTISED_URL: this.proxy.url }),
        ...this.#settings,
      },
      ...(await commandOf(this.#place)),
    })
    this.#watching ??= this.#watch()
  }

  /** From its next start on. */
  configure(settings: Place['settings']): void {
    this.#settings = settings
  }

  async startReady(timeoutMs?: number): Promise<void> {
    await this.start()
    await this.ready(timeoutMs)
  }

  ready(timeoutMs?: number): Promise<void> {
    return this.process.until(`${this.name} is ready`, () => this.isReady, timeoutMs)
  }

  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null> {
    return this.process.stop()
  }

  async kill(): Promise<void> {
    this.disturb()
    await this.process.kill()
  }

  /** SIGSTOP. */
  pause(): void {
    this.disturb()
    this.process.signal('SIGSTOP')
  }

  /** SIGCONT. */
  resume(): void {
    this.process.signal('SIGCONT')
  }

  /** It owes no answer to what is under way now, and gets no lookups until it is found ready again. */
  disturb(): void {
    this.#isReady = false
    const { life } = this
    if (life) life.disturbedAt = performance.now()
  }

  async status(): Promise<StoreStatus | undefined> {
    if (!this.isRunning) return undefined
    return this.process.status(this.#place.storeId, AbortSignal.timeout(answerTimeoutMs))
  }

  /** What it says of the partitions that it has as primary. */
  async primaries(): Promise<PartitionStatus[]> {
    const status = await this.status()
    return status?.details?.filter(({ role }) => role === 'primary') ?? []
  }

  async close(): Promise<void> {
    this.#closing = true
    if (this.isRunning) this.process.signal('SIGCONT')
    await this.#retire()
    await this.#watching
    this.proxy?.close()
  }

  async #retire(): Promise<void> {
    const process = this.#process
    if (process === undefined) return
    if (process.isAlive) await process.kill()
    this.outputs.push(`${process.stdout}\n${process.stderr}`)
    await process.close()
  }

  async #identify(life: Life): Promise<void> {
    const status = await this.status()
    const id = status?.group?.members.find(({ isSelf }) => isSelf)?.id
    // Without a group it has none.
    if (id !== undefined || (status && !status.group)) life.id = id ?? ''
  }

  async #watch(): Promise<void> {
    while (!this.#closing) {
      const process = this.#process
      const { life } = this
      const disturbedAt = life?.disturbedAt
      const isReady = process?.isAlive === true && (await process.isReady(AbortSignal.timeout(answerTimeoutMs)))
      // What was found before a disturbance counts no more.
      if (life === this.life && life?.disturbedAt === disturbedAt) this.#isReady = isReady
      if (this.#isReady && life && life.id === undefined) await this.#identify(life)
      await Bun.sleep(pollMs)
    }
  }
}

/** What runs it, where that is not the executable of this test run by this user. */
async function commandOf({ executable, user }: Place): Promise<StartOptions> {
  if (user === undefined) return executable === undefined ? {} : { path: executable }
  const path = executable ?? (await builtExecutable())
  chmodSync(dirname(path), enterable)
  // Its folder is not for other users.
  return { path: 'setpriv', args: ['--reuid', String(user), '--clear-groups', path], cwd: tmpdir() }
}
