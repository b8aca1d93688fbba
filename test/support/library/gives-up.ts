/** A program that catches the failure of its store, closes nothing, and has nothing else to do. */
import { openStore } from '../../../lib/index.ts'
import { definition } from './no-default.ts'

const store = openStore({ sourceTopic: 'orders', kafkaBrokers: '127.0.0.1:1' }, definition)
await store.ready.catch(({ code }: { code: string }) => console.log(code))
