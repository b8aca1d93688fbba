/** A store in a process of its own, to be killed: its configuration stands in the environment, and nothing is served. */
import { openStore } from '../../../lib/store/store.ts'

const store = openStore(JSON.parse(process.env['STORE_CONFIG']!))
const failure = await store.failed
console.error(failure.message)
process.exit(1)
