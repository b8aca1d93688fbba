/**
 * A server in a separate process, with a bound on connections or on descriptors that a test has set, reached as the second argument says. Prints its port. Its flushes never end, and a key that
 * is a port has as its value how many connections of 20 it can open there, as to a broker.
 */
import { createRequestHandler } from '../../../lib/http/handler.ts'
import { configureLogging } from '../../../lib/log/index.ts'
import { listen } from '../../../lib/server/listen.ts'
import { FakeStore } from '../http/fake-store.ts'
import { allTransports } from '../http/transports.ts'

const [connectionsMax, transport] = process.argv.slice(2)
const found = allTransports.find(({ name }) => name === transport)
if (!found) throw new Error(`Starting a server: it is to listen ${transport}, which is unknown`)
const { tls, hasFastPath } = found

async function connectionsTo(port: number): Promise<number> {
  const opened = await Promise.all(
    Array.from({ length: 20 }, () =>
      Bun.connect({ hostname: '127.0.0.1', port, socket: { data: () => {} } }).catch(() => undefined),
    ),
  )
  for (const socket of opened) socket?.terminate()
  return opened.filter((socket) => socket !== undefined).length
}

configureLogging({ level: 'info', structured: false })
const store = new FakeStore()
store.onFlush = () => new Promise(() => {})
store.onGet = async (key) => {
  const count = await connectionsTo(Number(Buffer.from(key).toString()))
  return { value: Buffer.from(String(count)), partition: 0, offset: 1, timestamp: 1 }
}
const bounds = { tls, hasFastPath, connectionsMax: Number(connectionsMax) }
console.log(listen(createRequestHandler(store), { bind: '127.0.0.1', port: 0, ...bounds }).port)
