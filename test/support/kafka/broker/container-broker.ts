import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { StartedTestContainer } from 'testcontainers'
import { freePorts } from '../../process/ports.ts'
import { TcpProxy } from '../proxies/tcp-proxy.ts'
import { type KafkaBroker, type StartOptions, startTimeoutMs, stopTimeoutMs, type ToolResult } from './broker.ts'
import { addressesOf, furtherListeners } from './further-listeners.ts'
import { waitUntilReady } from './ready.ts'
import { serverProperties } from './server-properties.ts'

const image = 'apache/kafka:4.1.1'
const home = '/opt/kafka/bin'
const logDir = '/tmp/latchkey-kafka'
const propertiesFile = '/tmp/server.properties'
const logLines = 20
const stdinFile = '/tmp/stdin'
const startScript = `
${home}/kafka-storage.sh format --ignore-formatted --cluster-id AAAAAAAAAAAAAAAAAAAAAQ --config ${propertiesFile} "$@" || exit
exec ${home}/kafka-server-start.sh ${propertiesFile}`

/** True where a Docker daemon answers. Cheap where there is none: testcontainers is loaded only if a socket is in sight. */
export async function dockerAnswers(): Promise<boolean> {
  const sockets = ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')]
  if (!process.env['DOCKER_HOST'] && !sockets.some((socket) => existsSync(socket))) return false
  const { getContainerRuntimeClient } = await loadTestcontainers()
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  )
}

/** Pulls the image where it is missing. */
export async function pullImage(): Promise<void> {
  const { getContainerRuntimeClient, ImageName } = await loadTestcontainers()
  const client = await getContainerRuntimeClient()
  const name = ImageName.fromString(image)
  if (await client.image.exists(name)) return
  console.error(`Pulling ${image} (once)…`)
  await client.image.pull(name)
}

/** Apache Kafka in a container. The ports inside and outside are the same, so that its tools reach it by the address that clients use. */
export class ContainerBroker implements KafkaBroker {
  readonly bootstrap: string
  readonly direct: string
  readonly listeners: Readonly<Record<string, string>>
  readonly proxy: TcpProxy | undefined
  readonly pid = undefined
  readonly logDir = undefined
  readonly #container: StartedTestContainer

  static async start(options: StartOptions = {}): Promise<ContainerBroker> {
    const { GenericContainer, Wait } = await loadTestcontainers()
    const [directPort = 0, controllerPort = 0, proxiedPort = 0] = await freePorts(3)
    const proxy = options.proxy ? await TcpProxy.listen(`127.0.0.1:${proxiedPort}`) : undefined
    const further = await furtherListeners(options)
    const listeners = {
      bindHost: '0.0.0.0',
      directAddress: `127.0.0.1:${directPort}`,
      directPort,
      controllerPort,
      proxied: proxy && { port: proxiedPort, advertisedAddress: proxy.address },
      further,
    }
    const ports = [directPort, ...(proxy ? [proxiedPort] : []), ...further.map(({ port }) => port)]
    const properties = serverProperties(listeners, logDir, options.properties)
    const container = await new GenericContainer(image)
      .withEntrypoint(['/bin/sh', '-c', startScript, 'kafka', ...(options.formatArgs ?? [])])
      .withEnvironment({ KAFKA_HEAP_OPTS: `-Xmx${options.heapMegabytes ?? 512}m` })
      .withCopyContentToContainer([{ content: properties, target: propertiesFile }])
      .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
      // It counts as started once it runs a command; whether Kafka is ready is asked of Kafka.
      .withWaitStrategy(Wait.forSuccessfulCommand('true'))
      .withStartupTimeout(startTimeoutMs)
      .start()
    tieToThisProcess(container.getId())
    const broker = new ContainerBroker(container, listeners.directAddress, proxy, addressesOf(further))
    await broker.#ready().catch(async (error) => {
      await broker.close()
      throw error
    })
    return broker
  }

  private constructor(
    container: StartedTestContainer,
    direct: string,
    proxy: TcpProxy | undefined,
    listeners: Readonly<Record<string, string>>,
  ) {
    this.#container = container
    this.listeners = listeners
    this.direct = direct
    this.bootstrap = proxy?.address ?? direct
    this.proxy = proxy
  }

  async start(): Promise<void> {
    await (await this.#handle()).start()
    await this.#ready()
  }

  async stop(): Promise<void> {
    await (await this.#handle()).stop({ t: stopTimeoutMs / 1_000 })
  }

  async kill(): Promise<void> {
    const handle = await this.#handle()
    await handle.kill({ signal: 'SIGKILL' })
    await handle.wait()
  }

  async close(): Promise<void> {
    await this.proxy?.close()
    const handle = await this.#handle()
    await handle.remove({ force: true, v: true }).catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404) throw error
    })
  }

  async java(mainClass: string, args: readonly string[], stdin: string | Uint8Array = ''): Promise<ToolResult> {
    await this.#container.copyContentToContainer([{ content: Buffer.from(stdin), target: stdinFile }])
    return this.#container.exec([
      '/bin/sh',
      '-c',
      `exec ${home}/kafka-run-class.sh "$@" < ${stdinFile}`,
      'java',
      mainClass,
      ...args,
    ])
  }

  async #handle() {
    const { getContainerRuntimeClient } = await loadTestcontainers()
    return (await getContainerRuntimeClient()).container.getById(this.#container.getId())
  }

  async #ready(): Promise<void> {
    const handle = await this.#handle()
    const ended = handle
      .wait()
      .then(() => handle.logs({ stdout: true, stderr: true, tail: logLines }))
      .then(String, String)
    await waitUntilReady(this.direct, startTimeoutMs, ended)
  }
}

/** With testcontainers' own reaper a Bun process does not end (it keeps a socket open), so we see to the end ourselves. */
function loadTestcontainers(): Promise<typeof import('testcontainers')> {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true'
  return import('testcontainers')
}

/** Removes the container when this process has ended in any way: the pipe that the watcher reads is then closed. */
function tieToThisProcess(id: string): void {
  const watcher = spawn('/bin/sh', ['-c', `read -r _; docker rm -f -v ${id} >/dev/null 2>&1`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.on('error', () => {})
  watcher.unref()
}
