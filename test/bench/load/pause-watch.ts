/** See pauses.ts, which runs it. Ends with its standard input and prints one line of JSON. Arguments: URL, path of a lookup, keys. */
import { askForShortTurns } from '../../../lib/linux/short-turns.ts'
import { constantAnswer } from '../limits/constant.ts'
import { Connection } from './connection.ts'
import type { Pauses } from './pauses.ts'
import { Standstill } from './standstill.ts'

const [url = '', lookupPath = '', keys = ''] = process.argv.slice(2)
const control = await constantAnswer(170)

/** In which this process and the constant answer's run for the first time what they will run. */
const warmUp = 100
// What this process waits for a processor would count as a pause.
askForShortTurns()
const ending = new AbortController()
void Bun.stdin.text().then(() => ending.abort())
const [ofStore, ofControl] = [await Connection.open(url), await Connection.open(control.url)]
const standstill = await Standstill.watch()
const longest: Pauses = { pauseMs: 0, ownMs: 0, noiseMs: 0, noiseOwnMs: 0, standstillMs: undefined }

/** A wait that has just ended, without what the machine stood still in it. */
function ownOf(ms: number, endedAt: number): number {
  return ms - (standstill?.within(endedAt - ms, endedAt) ?? 0)
}

for (let asked = 0; !ending.signal.aborted; asked++) {
  const path = `${lookupPath}user-${Math.floor(Math.random() * Number(keys))}`
  const storeMs = await ofStore.waitFor(path)
  const storeAt = performance.now()
  const controlMs = await ofControl.waitFor('/')
  const controlAt = performance.now()
  if (asked < warmUp) continue
  await Bun.sleep(1)
  longest.pauseMs = Math.max(longest.pauseMs, storeMs)
  longest.noiseMs = Math.max(longest.noiseMs, controlMs)
  if (storeMs > longest.ownMs) longest.ownMs = Math.max(longest.ownMs, ownOf(storeMs, storeAt))
  if (controlMs > longest.noiseOwnMs) longest.noiseOwnMs = Math.max(longest.noiseOwnMs, ownOf(controlMs, controlAt))
}
standstill?.end()
longest.standstillMs = standstill?.longest
console.log(JSON.stringify(longest))
await control[Symbol.asyncDispose]()
process.exit(0)
