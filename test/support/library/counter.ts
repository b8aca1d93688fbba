/** A program that writes numbers for as long as it lives, to be killed: prints each once it is acknowledged. Arguments: topic, brokers. */
import { openStore } from '../../../lib/index.ts'

const [sourceTopic = '', kafkaBrokers = ''] = process.argv.slice(2)
const keys = 7

const store = openStore({ sourceTopic, kafkaBrokers })
await store.ready
const text = new TextEncoder()

/** Each key has its own writer, which continues counting from the value that it finds. */
async function count(key: string): Promise<never> {
  const found = await store.get(key)
  for (let number = found === undefined ? 1 : Number(new TextDecoder().decode(found)) + 1; ; number++) {
    await store.put(key, text.encode(String(number)))
    process.stdout.write(`${key} ${number}\n`)
  }
}

await Promise.all(Array.from({ length: keys }, (_, index) => count(`key-${index}`)))
