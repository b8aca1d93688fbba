import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { launch } from './store-process.ts'

const program = join(import.meta.dir, '../kafkajs-map/store.ts')

export async function kafkajsMap(): Promise<Contender> {
  return {
    name: 'kafkajs + Map',
    terms: 'kafkajs 2.2.4, a Map of buffers, Bun.serve; acks=all, not idempotent, a Produce for each batch fetched',
    ingestShare: 1,
    givenChangelog: false,
    flushes: false,
    changelogOf: (id) => `${id}-changelog`,
    start({ id, bootstrap, source }) {
      return launch({
        id,
        command: (port) => [process.execPath, program, bootstrap, id, source, `${id}-changelog`, String(port)],
        env: () => ({ KAFKAJS_NO_PARTITIONER_WARNING: '1' }),
        recovery: /recovered \d+ records in ([\d.]+) (ms)/,
      })
    },
  }
}
