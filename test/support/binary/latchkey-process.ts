/** One run of the executable, seen as its user sees it: output, exit code, HTTP. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreStatus } from '../../../lib/store-protocol/status.ts'
import { tail } from '../process/run.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { type TiedProcess, Watchdog } from '../process/watchdog.ts'
import { until } from '../until.ts'
import { builtExecutable } from './built.ts'

export interface StartOptions {
  /** All that its environment holds. */
  settings?: Readonly<Record<string, string>>
  args?: readonly string[]
  /** Working directory; a new empty one by default. */
  cwd?: string
  /** The executable, where it is not the one of this run. */
  path?: string
}

/** HTTP on a free port of this machine alone. */
export const localPort = { SERVER_BIND: '127.0.0.1', SERVER_PORT: '0' } as const

export class LatchkeyProcess {
  readonly folder: string
  readonly #process: TiedProcess
  readonly #watchdog: Watchdog
  readonly #headers: Readonly<Record<string, string>>
  #exitCode: number | null | undefined
  #url: string | undefined

  static async start({ settings = {}, args = [], cwd, path }: StartOptions = {}): Promise<LatchkeyProcess> {
    const executable = path ?? (await builtExecutable())
    const folder = temporaryFolder('store')
    const watchdog = new Watchdog(folder)
    // The shell redirects stderr to a file and becomes the executable. Its environment is that of the executable.
    const command = ['/bin/sh', '-c', `exec "$0" "$@" 2>'${join(folder, 'stderr')}'`, executable, ...args]
    const options = { cwd: cwd ?? folder, env: { ...settings } as unknown as NodeJS.ProcessEnv }
    const tied = await watchdog.spawn(command, join(folder, 'stdout'), options)
    return new LatchkeyProcess(folder, tied, watchdog, settings['SERVER_TOKEN'])
  }

  private constructor(folder: string, tied: TiedProcess, watchdog: Watchdog, token: string | undefined) {
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    this.folder = folder
    this.#process = tied
    this.#watchdog = watchdog
    void tied.exited.then((exitCode) => (this.#exitCode = exitCode))
  }

  get stdout(): string {
    return this.#file('stdout')
  }

  get stderr(): string {
    return this.#file('stderr')
  }

  get pid(): number {
    return this.#process.pid
  }

  get isAlive(): boolean {
    return this.#exitCode === undefined
  }

  /** Resolves with its exit code; null where a signal ended it. */
  get exited(): Promise<number | null> {
    return this.#process.exited
  }

  /** URL of its HTTP server, once it is printed; without a slash at the end. */
  get url(): string | undefined {
    this.#url ??= /http:\/\/[^/\s]+(?=\/)/.exec(this.stdout)?.[0]
    return this.#url
  }

  /** Port for clients of Redis, once it is printed. */
  get redisPort(): number | undefined {
    const port = /redis-cli .*-p (\d+)/.exec(this.stdout)?.[1]
    return port === undefined ? undefined : Number(port)
  }

  signal(name: NodeJS.Signals): void {
    this.#process.signal(name)
  }

  async listening(): Promise<string> {
    await this.until('it listens', () => this.url !== undefined)
    return this.url!
  }

  /** Resolves when `condition` holds; rejects, with what it has written, if the process ends first. */
  async until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void> {
    try {
      const isDone = async () => {
        if (await condition()) return true
        if (!this.isAlive) throw new Error(`it ended with ${this.#exitCode}`)
        return false
      }
      await until(what, isDone, timeoutMs)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${tail(this.stdout + this.stderr, 30)}`, { cause: error })
    }
  }

  async get(path: string, init?: RequestInit): Promise<Response> {
    return fetch((await this.listening()) + path, init)
  }

  /** Undefined while it does not answer. */
  async status(storeId: string, signal: AbortSignal | null = null): Promise<StoreStatus | undefined> {
    if (this.url === undefined) return undefined
    const init = { signal, headers: this.#headers }
    const answer = await fetch(`${this.url}/status-store/${storeId}`, init).catch(() => undefined)
    return (await answer?.json().catch(() => undefined)) as StoreStatus | undefined
  }

  async isReady(signal: AbortSignal | null = null): Promise<boolean> {
    if (this.url === undefined) return false
    const answer = await fetch(`${this.url}/readyz`, { signal }).catch(() => undefined)
    await answer?.text().catch(() => '')
    return answer?.status === 200
  }

  /** The sum of a metric's series. */
  async metric(name: string): Promise<number> {
    const text = await (await this.get('/metrics')).text()
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** Ends it by SIGTERM; resolves with its exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM')
    return this.exited
  }

  /** Ends it as kill -9 does. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  /** Ends it, if it still runs, and removes its folder. */
  async close(): Promise<void> {
    if (this.isAlive) await this.kill()
    this.#watchdog.release()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #file(name: string): string {
    const path = join(this.folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }
}
