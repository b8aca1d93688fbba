import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type KafkaBroker,
  type StartOptions,
  type ToolResult,
  startTimeoutMs,
  stopTimeoutMs,
  toolTimeoutMs,
} from './broker.ts'
import { addressesOf, type FurtherListener, furtherListeners } from './further-listeners.ts'
import { type Jars, kafkaJars } from './jars.ts'
import { freePorts } from './ports.ts'
import { waitUntilReady } from './ready.ts'
import { run, tail } from './run.ts'
import { serverProperties } from './server-properties.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { Tether, type TiedProcess } from './tether.ts'

/** For short lives: the first compiler alone, the simplest collector, no search for entropy. */
const jvmFlags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Djava.net.preferIPv4Stack=true']
const loggerFlags = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true']
/** Another process may take a port between our look and Kafka's bind. */
const portTries = 3

/** Apache Kafka on this machine's Java. */
export class LocalBroker implements KafkaBroker {
  readonly bootstrap: string
  readonly direct: string
  readonly listeners: Readonly<Record<string, string>>
  readonly proxy: TcpProxy | undefined
  readonly #formatArgs: readonly string[]
  readonly #folder: string
  readonly #tether: Tether
  readonly #jars: Jars
  readonly #heapMegabytes: number
  #process: TiedProcess | undefined
  #closed = false

  static async start(options: StartOptions = {}): Promise<LocalBroker> {
    const jars = await kafkaJars()
    for (let tries = 1; ; tries++) {
      const [directPort = 0, controllerPort = 0, proxiedPort = 0] = await freePorts(3)
      const proxy = options.proxy ? await TcpProxy.listen(`127.0.0.1:${proxiedPort}`) : undefined
      const further = await furtherListeners(options)
      const broker = new LocalBroker(jars, options, directPort, controllerPort, proxiedPort, proxy, further)
      try {
        await broker.#format()
        await broker.start()
        return broker
      } catch (error) {
        await broker.close()
        if (tries === portTries || !String(error).includes('BindException')) throw error
      }
    }
  }

  private constructor(
    jars: Jars,
    options: StartOptions,
    directPort: number,
    controllerPort: number,
    proxiedPort: number,
    proxy: TcpProxy | undefined,
    further: readonly FurtherListener[],
  ) {
    this.#jars = jars
    this.#formatArgs = options.formatArgs ?? []
    this.listeners = addressesOf(further)
    this.#heapMegabytes = options.heapMegabytes ?? 512
    this.#folder = temporaryFolder('kafka')
    this.#tether = new Tether(this.#folder)
    this.direct = `127.0.0.1:${directPort}`
    this.bootstrap = proxy?.address ?? this.direct
    this.proxy = proxy
    const listeners = {
      bindHost: '127.0.0.1',
      directAddress: this.direct,
      directPort,
      controllerPort,
      proxied: proxy && { port: proxiedPort, advertisedAddress: proxy.address },
      further,
    }
    mkdirSync(this.logDir)
    writeFileSync(this.#file('server.properties'), serverProperties(listeners, this.logDir, options.properties))
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  get logDir(): string {
    return this.#file('data')
  }

  async start(): Promise<void> {
    if (this.#closed || this.#process)
      throw new Error(`start Kafka at ${this.direct}: it ${this.#closed ? 'is closed' : 'runs already'}`)
    const heap = [`-Xms64m`, `-Xmx${this.#heapMegabytes}m`]
    const command = this.#javaCommand([...jvmFlags, ...loggerFlags, ...heap], 'kafka.Kafka', [
      this.#file('server.properties'),
    ])
    const started = await this.#tether.spawn(command, this.#file('output'))
    this.#process = started
    const ended = started.exited.then(() => {
      if (this.#process === started) this.#process = undefined
      return existsSync(this.#folder) ? tail(readFileSync(this.#file('output'), 'utf8')) : ''
    })
    await waitUntilReady(this.direct, startTimeoutMs, ended)
  }

  async stop(): Promise<void> {
    const running = this.#process
    if (!running) return
    running.signal('SIGTERM')
    const timer = setTimeout(() => running.signal('SIGKILL'), stopTimeoutMs)
    await running.exited
    clearTimeout(timer)
  }

  async kill(): Promise<void> {
    const running = this.#process
    if (!running) return
    running.signal('SIGKILL')
    await running.exited
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.kill()
    await this.proxy?.close()
    this.#tether.release()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  java(mainClass: string, args: readonly string[], stdin?: string | Uint8Array): Promise<ToolResult> {
    return runTool(this.#jars, mainClass, args, stdin)
  }

  async #format(): Promise<void> {
    const args = [
      'format',
      '--cluster-id',
      'AAAAAAAAAAAAAAAAAAAAAQ',
      '--config',
      this.#file('server.properties'),
      ...this.#formatArgs,
    ]
    const { stdout, stderr, exitCode } = await runTool(this.#jars, 'kafka.tools.StorageTool', args)
    if (exitCode !== 0) throw new Error(`format Kafka's storage: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  }

  #javaCommand(flags: readonly string[], mainClass: string, args: readonly string[]): string[] {
    return [this.#jars.java, ...flags, '-cp', this.#jars.classPath, mainClass, ...args]
  }

  #file(name: string): string {
    return join(this.#folder, name)
  }
}

/** Runs one of Kafka's tools from the jars. */
export async function runTool(
  jars: Jars,
  mainClass: string,
  args: readonly string[],
  stdin?: string | Uint8Array,
): Promise<ToolResult> {
  // Else sources are read and output is written in what the locale says, which on many a server is ASCII.
  const flags = [...jvmFlags, '-Dfile.encoding=UTF-8', '-Xmx256m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  return run([jars.java, ...flags, '-cp', jars.classPath, mainClass, ...args], toolTimeoutMs, stdin)
}
