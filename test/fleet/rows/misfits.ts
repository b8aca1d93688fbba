import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { StoreStatus } from '../../../lib/store-protocol/status.ts'
import { LatchkeyProcess, localPort } from '../../support/binary/latchkey-process.ts'
import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import { until } from '../../support/until.ts'
import type { Row } from '../row.ts'

const token = 'token-of-the-group'
const saidMsMax = 5_000
const strangeMs = 10_000

type Run = Awaited<ReturnType<Row['open']>>

/** Instances that do not fit into a group: each says soon what is wrong with it, and the others answer as before. */
export async function misfits(row: Row): Promise<void> {
  await beside(row, {}, async (run, bootstrap) => {
    const [first] = run.fleet.instances
    using silent = await Tap.open(false)
    const cases: [string, Record<string, string>, RegExp][] = [
      ['another partitioner', { PARTITIONER: 'crc32' }, /^PARTITIONER differs/],
      ['a URL that refuses', { ADVERTISED_URL: 'http://127.0.0.1:1' }, /127\.0\.0\.1:1\b/],
      ['a URL that does not answer', { ADVERTISED_URL: silent.url }, new RegExp(silent.url)],
      ['the URL of another one', { ADVERTISED_URL: first!.url! }, new RegExp(first!.url!)],
      ['another token', { SERVER_TOKEN: 'another-token' }, /SERVER_TOKEN/],
    ]
    for (const [name, settings, words] of cases) {
      const misfit = await start(row, run, bootstrap, settings)
      try {
        // Before it is in the group, it is unready for that.
        await until(`${name}: it is in the group`, async () => (await statusOf(misfit, run))?.group?.state === 'stable')
        const from = performance.now()
        let said = ''
        await until(`${name}: it says so`, async () => {
          const conditions = (await statusOf(misfit, run))?.conditions ?? []
          said = conditions.find(({ ok, reason }) => !ok && words.test(reason ?? ''))?.reason ?? ''
          return said !== ''
        }).catch((error: Error) => row.missed.push(error.message))
        const ms = Math.round(performance.now() - from)
        row.figure(`${name}, named after`, `${ms} ms: ${said}`)
        row.expect(ms <= saidMsMax, `${name} was named after ${ms} ms`)
        row.expect(!(await misfit.isReady()), `with ${name} it is ready`)
      } finally {
        await misfit.close()
      }
    }
  })
}

/** One that may read the group in Kafka and listens, and HTTP_PROXY: neither gets a lookup, nor the token. */
export async function strangers(row: Row): Promise<void> {
  using tap = await Tap.open()
  using proxy = await Tap.open()
  await beside(row, { HTTP_PROXY: proxy.url, http_proxy: proxy.url }, async (run, bootstrap) => {
    const stranger = await start(row, run, bootstrap, { ADVERTISED_URL: tap.url }, false)
    try {
      await Bun.sleep(strangeMs)
      const excluded = (await run.fleet.instances[0]!.status())?.group?.excluded ?? []
      row.figure('excluded', excluded.map(({ url, reason }) => `${url} ${reason}`).join('; ') || 'none')
      row.expect(excluded.length === 1, 'the stranger was not excluded')
    } finally {
      await stranger.close()
    }
  })
  for (const [name, { received }] of [
    ['the stranger', tap],
    ['the proxy', proxy],
  ] as const) {
    row.figure(`${name} received`, `${received.length} requests${received.length > 0 ? `: ${received[0]}` : ''}`)
    row.expect(received.length === 0, `${name} received requests`)
  }
}

/** Plays beside a group of three that is read and written. */
async function beside(
  row: Row,
  settings: Readonly<Record<string, string>>,
  play: (run: Run, bootstrap: string) => Promise<void>,
): Promise<void> {
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, 3, { settings: { SERVER_TOKEN: token, ...settings }, lookups: { token } })
  try {
    await run.begin(3, true)
    await run.fleet.balanced()
    await play(run, kafka.bootstrap)
    await run.writer.stop()
    await run.lookups.stop()
    await row.count(run)
  } catch (error) {
    row.missed.push(`the row ended: ${(error as Error).message}`)
  } finally {
    row.keep(run)
    await run.close()
    await kafka.close()
  }
}

async function start(
  row: Row,
  { fleet }: Run,
  bootstrap: string,
  settings: Readonly<Record<string, string>>,
  isSigned = true,
): Promise<LatchkeyProcess> {
  const place = { ...localPort, SOURCE_TOPIC: fleet.topic, KAFKA_BROKERS: bootstrap, ELASTIC: 'true' }
  const { executable } = row.options
  return LatchkeyProcess.start({
    settings: { ...place, ...(isSigned && { SERVER_TOKEN: token }), ...settings },
    ...(executable !== undefined && { path: executable }),
  })
}

function statusOf(process: LatchkeyProcess, { fleet }: Run): Promise<StoreStatus | undefined> {
  return process.status(fleet.topic, AbortSignal.timeout(2_000))
}

/** Keeps what is asked of it. */
class Tap implements Disposable {
  readonly received: string[] = []
  readonly #server: Server

  /** @param answers whether it answers at all */
  static async open(answers = true): Promise<Tap> {
    const tap = new Tap(answers)
    await new Promise<void>((resolve) => void tap.#server.listen(0, '127.0.0.1', resolve))
    return tap
  }

  private constructor(answers: boolean) {
    this.#server = createServer((request, response) => {
      this.received.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
      if (answers) response.writeHead(503).end()
    })
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
