/** Apicurio Registry on this machine's Java, with its schemas in memory. Confluent's interface is at `url`. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { jarsOf } from '../../kafka/broker/jars.ts'
import { freePorts } from '../../process/ports.ts'
import { run, tail } from '../../process/run.ts'
import { temporaryFolder } from '../../process/temporary-folder.ts'
import { type TiedProcess, Watchdog } from '../../process/watchdog.ts'
import { until } from '../../until.ts'
import type { RegisteredSchema } from './fake-registry.ts'

const pom = join(import.meta.dir, 'java/pom.xml')
const unpackTimeoutMs = 60_000
/** For short lives: the first compiler alone, the simplest collector. */
const jvmFlags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m']

export class Apicurio {
  readonly url: string
  readonly #folder: string
  readonly #watchdog: Watchdog
  readonly #process: TiedProcess

  static async start(): Promise<Apicurio> {
    const { files, java } = await jarsOf(pom)
    const archive = files.find((path) => path.endsWith('.tar.gz'))
    if (archive === undefined) throw new Error('start Apicurio: Maven has brought no archive')
    const folder = temporaryFolder('apicurio')
    const watchdog = new Watchdog(folder)
    const { stderr, exitCode } = await run(['tar', '-xzf', archive, '-C', folder], unpackTimeoutMs)
    if (exitCode !== 0) throw new Error(`unpack ${archive}: ${tail(stderr)}`)
    const [port = 0] = await freePorts(1)
    const settings = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`]
    const jar = (await Array.fromAsync(new Bun.Glob('*-runner.jar').scan(folder)))[0] ?? ''
    const output = join(folder, 'output')
    const started = await watchdog.spawn([java, ...jvmFlags, ...settings, '-jar', join(folder, jar)], output)
    const apicurio = new Apicurio(`http://127.0.0.1:${port}/apis/ccompat/v7`, folder, watchdog, started)
    let hasEnded = false
    void started.exited.then(() => (hasEnded = true))
    await until('Apicurio answers', async () => {
      if (hasEnded) throw new Error(`start Apicurio: it ended\n${tail(readFileSync(output, 'utf8'))}`)
      return fetch(`${apicurio.url}/subjects`).then(
        ({ ok }) => ok,
        () => false,
      )
    })
    return apicurio
  }

  private constructor(url: string, folder: string, watchdog: Watchdog, started: TiedProcess) {
    this.url = url
    this.#folder = folder
    this.#watchdog = watchdog
    this.#process = started
  }

  /** @returns its id */
  async register({
    subject,
    schemaType,
    schema,
    references,
  }: Omit<RegisteredSchema, 'id' | 'version'>): Promise<number> {
    const response = await fetch(`${this.url}/subjects/${encodeURIComponent(subject)}/versions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schemaType, schema, references }),
    })
    if (!response.ok) throw new Error(`register a schema of ${subject}: ${await response.text()}`)
    return ((await response.json()) as { id: number }).id
  }

  async close(): Promise<void> {
    this.#process.signal('SIGKILL')
    await this.#process.exited
    this.#watchdog.release()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
