/**
 * Lookups over HTTP from a separate process: so many connections, each with one request under way, random keys. Prints one line of JSON.
 * Raw sockets, because fetch() costs more than the lookups that it asks for.
 *
 *     bun test/bench/load/sockets.ts <url> <path of a lookup without its key> <keys> <connections> <seconds> <single|keys|query> [token]
 */
import { isWhole } from './connection.ts'
import { type LoadForm, loadForms, requestOf } from './requests.ts'

const [url, lookupPath = '', keys, connections, seconds, asked, token] = process.argv.slice(2)
const { hostname, port } = new URL(url!)
const keyCount = Number(keys)
const form: LoadForm = loadForms.find((one) => one === asked) ?? 'single'
const randomId = () => Math.floor(Math.random() * keyCount)
const latenciesMs: number[] = []
let failures = 0
let stopped = false

interface Connection {
  sentAt: number
  received: string
}

function send(socket: Bun.Socket<Connection>): void {
  socket.data.sentAt = performance.now()
  socket.write(requestOf({ form, lookupPath, hostname, token, randomId }))
}

function data(socket: Bun.Socket<Connection>, chunk: Buffer): void {
  const connection = socket.data
  connection.received += chunk.toString('latin1')
  if (!isWhole(connection.received)) return
  latenciesMs.push(performance.now() - connection.sentAt)
  const status = connection.received.slice(9, 12)
  if (status !== '200') failures++
  connection.received = ''
  if (stopped) socket.end()
  else send(socket)
}

const socket = { open: send, data, error: () => void failures++ }
const start = performance.now()
for (let index = 0; index < Number(connections); index++) {
  await Bun.connect({ hostname, port: Number(port), data: { sentAt: 0, received: '' }, socket })
}
await Bun.sleep(Number(seconds) * 1000)
stopped = true
const elapsed = (performance.now() - start) / 1000
const sorted = Float64Array.from(latenciesMs).toSorted()
const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
console.log(
  JSON.stringify({
    perSecond: Math.round(sorted.length / elapsed),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    failures,
  }),
)
process.exit(0)
