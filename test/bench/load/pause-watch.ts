/** See pauses.ts, which runs it. Ends with its standard input and prints one line of JSON. Arguments: URL, path of a lookup, keys. */
import { join } from 'node:path'
import { freePorts } from '../../kafka/ports.ts'

const [url = '', lookupPath = '', keys = ''] = process.argv.slice(2)
const [port = 0] = await freePorts(1)
const constant = join(import.meta.dir, '../limits/constant-answer.ts')
const control = Bun.spawn([process.execPath, constant, String(port), '170'])
const controlUrl = `http://127.0.0.1:${port}`
while (!(await fetch(controlUrl).catch(() => undefined))?.ok) await Bun.sleep(10)

const ending = new AbortController()
void Bun.stdin.text().then(() => ending.abort())
let pauseMs = 0
let noiseMs = 0
while (!ending.signal.aborted) {
  pauseMs = Math.max(pauseMs, await waitOf(`${url}${lookupPath}user-${Math.floor(Math.random() * Number(keys))}`))
  noiseMs = Math.max(noiseMs, await waitOf(controlUrl))
  await Bun.sleep(1)
}
console.log(JSON.stringify({ pauseMs, noiseMs }))
control.kill()
process.exit(0)

async function waitOf(target: string): Promise<number> {
  const askedAt = performance.now()
  const response = await fetch(target)
  await response.arrayBuffer()
  return performance.now() - askedAt
}
