import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tail } from '../../process/run.ts'
import { temporaryFolder } from '../../process/temporary-folder.ts'
import { type TiedProcess, Watchdog } from '../../process/watchdog.ts'
import { stopTimeoutMs } from './broker.ts'
import type { Jars } from './jars.ts'
import { jvmFlags, runTool } from './java.ts'

const loggerFlags = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true']

/** One process of Apache Kafka on this machine's Java: broker, controller or both, as its server.properties say. */
export class LocalNode {
  /** For messages, for example `Kafka at 127.0.0.1:20000`. */
  readonly name: string
  readonly #folder: string
  readonly #watchdog: Watchdog
  readonly #jars: Jars
  readonly #heapMegabytes: number
  #process: TiedProcess | undefined
  #paused = false
  #closed = false

  constructor(name: string, jars: Jars, heapMegabytes: number) {
    this.name = name
    this.#jars = jars
    this.#heapMegabytes = heapMegabytes
    this.#folder = temporaryFolder('kafka')
    this.#watchdog = new Watchdog(this.#folder)
    mkdirSync(this.logDir)
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  get isPaused(): boolean {
    return this.#paused
  }

  get logDir(): string {
    return this.#file('data')
  }

  /** Writes server.properties and formats the storage by them. */
  async format(properties: string, args: readonly string[] = []): Promise<void> {
    writeFileSync(this.#file('server.properties'), properties)
    const clusterId = ['--cluster-id', 'AAAAAAAAAAAAAAAAAAAAAQ']
    const allArgs = ['format', ...clusterId, '--config', this.#file('server.properties'), ...args]
    const { stdout, stderr, exitCode } = await runTool(this.#jars, 'kafka.tools.StorageTool', allArgs)
    if (exitCode !== 0) throw new Error(`format Kafka's storage: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  }

  /** Runs it; resolves when its process does. `ended` resolves with the last lines of its output when it has ended. */
  async start(flags: readonly string[] = archiveFlags(this.#jars)): Promise<{ ended: Promise<string> }> {
    if (this.#closed || this.#process) {
      throw new Error(`start ${this.name}: it ${this.#closed ? 'is closed' : 'runs already'}`)
    }
    const heap = [`-Xms64m`, `-Xmx${this.#heapMegabytes}m`]
    const allFlags = [...jvmFlags, ...loggerFlags, ...heap, ...flags]
    const command = [this.#jars.java, ...allFlags, '-cp', this.#jars.classPath, 'kafka.Kafka']
    const started = await this.#watchdog.spawn([...command, this.#file('server.properties')], this.#file('output'))
    this.#process = started
    const ended = started.exited.then(() => {
      if (this.#process === started) {
        this.#process = undefined
        this.#paused = false
      }
      return existsSync(this.#folder) ? tail(readFileSync(this.#file('output'), 'utf8')) : ''
    })
    return { ended }
  }

  /** Ends it gracefully, after a while by force; the data stay. */
  async stop(): Promise<void> {
    const running = this.#process
    if (!running) return
    this.resume()
    running.signal('SIGTERM')
    const timer = setTimeout(() => running.signal('SIGKILL'), stopTimeoutMs)
    await running.exited
    clearTimeout(timer)
  }

  /** Ends it at once, as kill -9; the data stay. */
  async kill(): Promise<void> {
    const running = this.#process
    if (!running) return
    running.signal('SIGKILL')
    await running.exited
  }

  /** SIGSTOP: its connections stay and nothing answers. */
  pause(): void {
    if (!this.#process) throw new Error(`pause ${this.name}: it is down`)
    this.#process.signal('SIGSTOP')
    this.#paused = true
  }

  /** SIGCONT; harmless where it is not paused. */
  resume(): void {
    if (this.#paused) this.#process?.signal('SIGCONT')
    this.#paused = false
  }

  /** Ends it permanently and removes its data. Twice is harmless. */
  async close(): Promise<void> {
    this.#closed = true
    await this.kill()
    this.#watchdog.release()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #file(name: string): string {
    return join(this.#folder, name)
  }
}

/** A JVM that cannot use an archive starts without it, and prints a warning where a test reads the broker's output. */
function archiveFlags({ cdsArchive: classArchive }: Jars): string[] {
  return existsSync(classArchive) ? [`-XX:SharedArchiveFile=${classArchive}`, '-Xlog:disable'] : []
}
