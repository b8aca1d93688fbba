/** See pauses.ts, which runs it. Ends with its standard input and prints one line of JSON. Arguments: URL, path of a lookup, keys. */
import { askForShortTurns } from '../../../lib/server/short-turns.ts'
import { constantAnswer } from '../limits/constant.ts'
import { Connection } from './connection.ts'

const [url = '', lookupPath = '', keys = ''] = process.argv.slice(2)
const control = await constantAnswer(170)

/** In which this process and the constant answer's run for the first time what they will run. */
const warmUp = 100
// What this process waits for a processor would count as a pause.
askForShortTurns()
const ending = new AbortController()
void Bun.stdin.text().then(() => ending.abort())
const [ofStore, ofControl] = [await Connection.open(url), await Connection.open(control.url)]
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
await control[Symbol.asyncDispose]()
process.exit(0)
