import { constants, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run, tail } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { type TiedProcess, Watchdog } from '../support/process/watchdog.ts'

const root = resolve(import.meta.dir, '../..')
const buildTimeoutMs = 120_000
const readyTimeoutMs = 60_000
const stopTimeoutMs = 20_000
const pollMs = 20

/** Builds dist/latchkey as `npm run build` does and returns its path. */
export async function buildExecutable(): Promise<string> {
  const { stdout, stderr, exitCode } = await run([process.execPath, 'run', '--cwd', root, 'build'], buildTimeoutMs)
  if (exitCode !== 0) throw new Error(`build the executable: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  return join(root, 'dist/latchkey')
}

/** Latchkey as a user runs it: a copy of the executable with a `.env` beside it, nothing in its environment. */
export class Instance {
  readonly folder = temporaryFolder('demo')
  readonly #watchdog = new Watchdog(this.folder)
  readonly #url: string
  #process: TiedProcess | undefined
  #exitCode: number | null | undefined

  /** @param url where it will answer by these settings */
  constructor(executable: string, settings: Readonly<Record<string, string>>, url: string) {
    this.#url = url
    copyFileSync(executable, join(this.folder, 'latchkey'), constants.COPYFILE_FICLONE)
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(this.folder, '.env'), lines.join(''))
  }

  get logFile(): string {
    return join(this.folder, 'latchkey.log')
  }

  /** Of the process that runs, or ran last. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Resolves once it says that it is ready. Runs it again where it has ended. */
  async start(): Promise<void> {
    this.#exitCode = undefined
    this.#process = await this.#watchdog.spawn(['./latchkey'], this.logFile, { cwd: this.folder, env: {} })
    void this.#process.exited.then((exitCode) => (this.#exitCode = exitCode))
    const deadline = performance.now() + readyTimeoutMs
    for (;;) {
      if (this.#exitCode !== undefined) {
        throw new Error(`start latchkey: it ended with ${this.#exitCode}\n${this.#log()}`)
      }
      const answer = await fetch(`${this.#url}/readyz?verbose`).catch(() => undefined)
      if (answer?.ok) return
      if (performance.now() > deadline) {
        const found = answer ? await answer.text() : 'no answer'
        throw new Error(`start latchkey: not ready after ${readyTimeoutMs} ms\n${found}\n${this.#log()}`)
      }
      await Bun.sleep(pollMs)
    }
  }

  /** SIGTERM, as every service manager ends it. Resolves with its exit code; null where it had to be killed. */
  async stop(): Promise<number | null> {
    const running = this.#process
    if (!running) return 0
    running.signal('SIGTERM')
    const timer = setTimeout(() => running.signal('SIGKILL'), stopTimeoutMs)
    const exitCode = await running.exited
    clearTimeout(timer)
    return exitCode
  }

  /** Ends it as kill -9 does. */
  async kill(): Promise<void> {
    this.#process?.signal('SIGKILL')
    await this.#process?.exited
  }

  /** Stops it, if it runs, and removes its folder. */
  async close(): Promise<void> {
    await this.stop()
    this.#watchdog.release()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #log(): string {
    return existsSync(this.logFile) ? tail(readFileSync(this.logFile, 'utf8')) : ''
  }
}
