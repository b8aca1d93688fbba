/** A definition whose module opens the store: its thread, which loads the module, would open another. Arguments: topic, brokers. */
import { defineStore, openStore } from '../../../lib/index.ts'

const definition = defineStore({ key: 'utf8', input: 'utf8' })
// oxlint-disable-next-line import/no-default-export -- what a store's definition has to be
export default definition

const [sourceTopic = 'orders', kafkaBrokers = 'localhost:1'] = process.argv.slice(2)
const store = openStore({ sourceTopic, kafkaBrokers }, definition)
const failure = await store.failed
console.log(`${failure.code}: ${failure.message}`)
await store.close()
