/** A server with a large value, and a huge one, in a separate process, so that its memory can be measured; the argument is how it is reached. Prints its port. */
import { createRequestHandler } from '../../../lib/http/handler.ts'
import { listen } from '../../../lib/server/listen.ts'
import { FakeStore } from '../http/fake-store.ts'
import { allTransports } from '../http/transports.ts'

const found = allTransports.find(({ name }) => name === process.argv[2])
if (!found) throw new Error(`Starting a server: it is to listen ${process.argv[2]}, which is unknown`)
const { tls, hasFastPath } = found
const large = new Uint8Array(900_000).fill(0x78)
const huge = new Uint8Array(10_000_000).fill(0x78)
const store = new FakeStore()
// A copy for each lookup, as a store's readers give one.
store.onGet = (key) => ({
  value: (key.length === 'huge'.length ? huge : large).slice(),
  partition: 0,
  offset: 1,
  timestamp: 1,
})
store.onFlush = async () => 1
console.log(listen(createRequestHandler(store), { bind: '127.0.0.1', port: 0, tls, hasFastPath }).port)
