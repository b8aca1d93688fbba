import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { launch } from './store-process.ts'

const program = join(import.meta.dir, '../kafkajs-map/store.ts')
/** A million take twenty seconds, and its rate does not depend on their number. */
const ingestShare = 0.3

export async function kafkajsMap(): Promise<Contender> {
  return {
    name: 'kafkajs + Map',
    terms: 'kafkajs 2.2.4, a Map of buffers, Bun.serve; acks=all, not idempotent, a Produce for each batch fetched',
    ingestShare,
    givenChangelog: true,
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
