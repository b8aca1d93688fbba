/** See pauses.ts, which runs it. Ends with its standard input and prints one line of JSON. Arguments: URL, path of a lookup, keys. */
import { join } from 'node:path'
import { askForShortTurns } from '../../../lib/server/short-turns.ts'
import { freePorts } from '../../kafka/ports.ts'
import { Connection } from './connection.ts'

const [url = '', lookupPath = '', keys = ''] = process.argv.slice(2)
const [port = 0] = await freePorts(1)
const constant = join(import.meta.dir, '../limits/constant-answer.ts')
const control = Bun.spawn([process.execPath, constant, String(port), '170'])
const controlUrl = `http://127.0.0.1:${port}`
while (!(await fetch(controlUrl).catch(() => undefined))?.ok) await Bun.sleep(10)

/** In which this process and the constant answer's run for the first time what they will run. */
const warmUp = 100
// What this process waits for a processor would count as a pause.
askForShortTurns()
const ending = new AbortController()
void Bun.stdin.text().then(() => ending.abort())
const [ofStore, ofControl] = [await Connection.open(url), await Connection.open(controlUrl)]
let pauseMs = 0
let noiseMs = 0
for (let asked = 0; !ending.signal.aborted; asked++) {
  const path = `${lookupPath}user-${Math.floor(Math.random() * Number(keys))}`
  const [storeMs, controlMs] = [await ofStore.waitFor(path), await ofControl.waitFor('/')]
  if (asked < warmUp) continue
  pauseMs = Math.max(pauseMs, storeMs)
  noiseMs = Math.max(noiseMs, controlMs)
  await Bun.sleep(1)
}
console.log(JSON.stringify({ pauseMs, noiseMs }))
control.kill()
process.exit(0)
