/** Debian's redis-server with the same entries as a topic: what the Redis protocol, memory and restarts are held against. */
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { freePorts } from '../../support/process/ports.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { Watchdog } from '../../support/process/watchdog.ts'
import { valueOf } from '../topics/values.ts'
import { processorMsOf, residentBytesOf } from './process-tree.ts'

/** Its name in the table. */
export const redis = 'Redis'

const setsAtOnce = 10_000
const pollMs = 2
const startMaxMs = 600_000

export interface RunningRedis extends AsyncDisposable {
  readonly port: number
  /** Milliseconds from the start of the process to the first answer to a GET: it answers none while it loads. */
  answers(key: string): Promise<number>
  processorMs(): number
  residentBytes(): number
}

/**
 * In memory alone, with entries.
 * @param keyOf of the number of a record
 */
export async function startRedis(
  records: number,
  valueBytes: number,
  keyOf: (id: number) => string,
): Promise<RunningRedis> {
  const server = await launch([])
  await withClient(server, (client) => fill(client, records, valueBytes, keyOf))
  return server
}

/** Starts it with the file in a folder, if there is one. */
export function startRedisIn(folder: string): Promise<RunningRedis> {
  return launch(['--dir', folder])
}

/** Writes entries to a file in a folder, as its SAVE does. */
export async function saveRedis(
  folder: string,
  records: number,
  valueBytes: number,
  keyOf: (id: number) => string,
): Promise<void> {
  await using server = await startRedisIn(folder)
  await withClient(server, async (client) => {
    await fill(client, records, valueBytes, keyOf)
    await client.send('SAVE', [])
  })
}

async function launch(settings: readonly string[]): Promise<RunningRedis> {
  const [port = 0] = await freePorts(1)
  const folder = temporaryFolder('redis')
  const watchdog = new Watchdog(folder)
  const command = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const startedAt = performance.now()
  const options = { cwd: folder, env: process.env }
  const child = await watchdog.spawn([...command, ...settings], join(folder, 'log'), options)
  const answered = async (key: string) => {
    const client = new RedisClient(`redis://127.0.0.1:${port}`, { autoReconnect: false })
    const value = await client.get(key).catch(() => null)
    client.close()
    return value !== null
  }
  return {
    port,
    async answers(key) {
      while (!(await answered(key))) {
        if (performance.now() - startedAt > startMaxMs) throw new Error(`redis-server does not answer ${key}`)
        await Bun.sleep(pollMs)
      }
      return performance.now() - startedAt
    },
    processorMs: () => processorMsOf(child.pid),
    residentBytes: () => residentBytesOf(child.pid),
    async [Symbol.asyncDispose]() {
      child.signal('SIGKILL')
      await child.exited
      watchdog.release()
    },
  }
}

async function withClient(server: RunningRedis, use: (client: RedisClient) => Promise<void>): Promise<void> {
  const client = new RedisClient(`redis://127.0.0.1:${server.port}`)
  await use(client)
  client.close()
}

async function fill(
  client: RedisClient,
  records: number,
  valueBytes: number,
  keyOf: (id: number) => string,
): Promise<void> {
  for (let from = 0; from < records; from += setsAtOnce) {
    const ids = Array.from({ length: Math.min(setsAtOnce, records - from) }, (_, index) => from + index)
    await Promise.all(ids.map((id) => client.set(keyOf(id), valueOf(id, 0, valueBytes))))
  }
}
