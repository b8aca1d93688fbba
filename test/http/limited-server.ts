/** A server in a process of its own, with a bound on connections or on descriptors that a test has set. Prints its port. */
import { serve } from '../../lib/http/serve.ts'
import { configureLogging } from '../../lib/log.ts'
import { FakeStore } from './fake-store.ts'

const [connectionsMax = Infinity] = process.argv.slice(2).map(Number)

configureLogging({ level: 'info', structured: false })
console.log(serve(new FakeStore(), { bind: '127.0.0.1', port: 0, version: '0', connectionsMax }).port)
