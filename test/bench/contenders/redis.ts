/** Debian's redis-server, in memory alone, with the same entries as a topic: what the Redis protocol is held against. */
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

export interface RunningRedis extends AsyncDisposable {
  readonly port: number
  processorMs(): number
  residentBytes(): number
}

/** @param keyOf of the number of a record */
export async function startRedis(
  records: number,
  valueBytes: number,
  keyOf: (id: number) => string,
): Promise<RunningRedis> {
  const [port = 0] = await freePorts(1)
  const folder = temporaryFolder('redis')
  const watchdog = new Watchdog(folder)
  const command = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = await watchdog.spawn(command, join(folder, 'log'), { cwd: folder, env: process.env })
  const client = new RedisClient(`redis://127.0.0.1:${port}`)
  for (let from = 0; from < records; from += setsAtOnce) {
    const ids = Array.from({ length: Math.min(setsAtOnce, records - from) }, (_, index) => from + index)
    await Promise.all(ids.map((id) => client.set(keyOf(id), valueOf(id, 0, valueBytes))))
  }
  client.close()
  return {
    port,
    processorMs: () => processorMsOf(child.pid),
    residentBytes: () => residentBytesOf(child.pid),
    async [Symbol.asyncDispose]() {
      child.signal('SIGKILL')
      await child.exited
      watchdog.release()
    },
  }
}
