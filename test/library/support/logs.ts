/** A program with a LogTape configuration of its own, or none; opens a store of a broker that is not there. Argument: `configured`, or none. */
import { configureSync, getConfig, type LogRecord } from '@logtape/logtape'
import { openStore } from '../../../lib/index.ts'

const isConfigured = process.argv[2] === 'configured'
const records: LogRecord[] = []
if (isConfigured) {
  const sinks = { own: (record: LogRecord) => void records.push(record) }
  configureSync({ sinks, loggers: [{ category: [], lowestLevel: 'warning', sinks: ['own'] }] })
}
const before = getConfig()
const store = openStore({ sourceTopic: 'orders', kafkaBrokers: '127.0.0.1:1' })
while (store.status().reason === undefined && records.length === 0) await Bun.sleep(20)
await Bun.sleep(100)
console.log(JSON.stringify({ isSame: getConfig() === before, categories: records.map(({ category }) => category) }))
await store.close()
