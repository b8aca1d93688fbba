/**
 * A program with its own LogTape configuration, or none, that opens a store of a broker that is not there. Prints what it is given to log, and
 * at SIGTERM whether its configuration is the same. Argument: `configured`, or none.
 */
import { configureSync, getConfig, type LogRecord } from '@logtape/logtape'
import { openStore } from '../../../lib/index.ts'

if (process.argv[2] === 'configured') {
  const sinks = { own: ({ category }: LogRecord) => console.log(`given a record of ${category.join('.')}`) }
  configureSync({ sinks, loggers: [{ category: [], lowestLevel: 'warning', sinks: ['own'] }] })
}
const before = getConfig()
const store = openStore({ sourceTopic: 'orders', kafkaBrokers: '127.0.0.1:1' })
await new Promise((resolve) => process.once('SIGTERM', resolve))
await store.close()
console.log(getConfig() === before ? 'configured as before' : 'configured again')
