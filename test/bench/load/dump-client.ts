/** Dumps a store over and over until its input ends. Prints one line of JSON: see dump.ts. */
import { dumpOnce, type Dumps } from './dump.ts'

const [url = ''] = process.argv.slice(2)
const ending = new AbortController()
void Bun.stdin.text().then(() => ending.abort())
const all: Dumps = { dumps: 0, entries: 0, ms: 0 }
const startedAt = performance.now()
while (!ending.signal.aborted) {
  const { dumps, entries } = await dumpOnce(url, ending.signal)
  all.dumps += dumps
  all.entries += entries
}
all.ms = performance.now() - startedAt
console.log(JSON.stringify(all))
process.exit(0)
