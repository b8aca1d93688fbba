/** A server in a process of its own, with a bound on connections or on descriptors that a test has set. Prints its port. */
import { createAnswerer } from '../../lib/http/handler.ts'
import { listen } from '../../lib/http/listen.ts'
import { configureLogging } from '../../lib/log.ts'
import { FakeStore } from './fake-store.ts'

const [connectionsMax = Infinity] = process.argv.slice(2).map(Number)

configureLogging({ level: 'info', structured: false })
console.log(listen(createAnswerer(new FakeStore()), { bind: '127.0.0.1', port: 0, connectionsMax }).port)
