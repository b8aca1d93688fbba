/**
 * A client that follows changes over HTTP and is killed again and again, of an executable that is killed as well. The
 * sizes can be set: FEED_CHANGES, FEED_CLIENT_KILLS, FEED_STORE_KILLS.
 */
import { expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { FoldingClient } from '../support/http/folding-client.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

const changes = Number(process.env['FEED_CHANGES'] ?? 20_000)
const clientKills = Number(process.env['FEED_CLIENT_KILLS'] ?? 20)
const storeKills = Number(process.env['FEED_STORE_KILLS'] ?? 3)
const partitions = 3
const keys = changes / 10
const settleMs = 60_000

test(
  'a client that is killed and continues, of a store that is killed, ends with what the store has',
  async () => {
    const random = Random.of('killed clients and stores')
    const broker = await sharedKafka()
    const topic = await createTopic(broker, uniqueName('feed-kills'), { partitions })
    const producer = kafkaClient(broker).producer()
    await producer.connect()
    const content = new Map<string, string>()
    let written = 0
    const write = async (count: number) => {
      const messages = Array.from({ length: count }, () => {
        const number = random.below(random.below(4) === 0 ? 50 : keys)
        const value = random.below(4) === 0 ? null : `{"n":${written++}}`
        if (value === null) content.delete(`key ${number}`)
        else content.set(`key ${number}`, value)
        return { key: `key ${number}`, value, partition: number % partitions }
      })
      await producer.send({ topic, messages })
    }
    // The smallest ring: places are soon older than it.
    const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, CHANGES_BYTES: '1048576' }
    const start = () => LatchkeyProcess.start({ settings: { ...settings, STORE_THREADS: '2', HTTP_THREADS: '2' } })
    let latchkey = await start()
    const urlOf = () => `${latchkey.url}/changes/${topic}?from=start`
    const serves = () => latchkey.until('it is ready', () => latchkey.isReady())
    await serves()
    const client = new FoldingClient(urlOf(), 'sse')
    client.start()
    const resumes = { ring: 0, changelog: 0, reset: 0 }
    const count = async () => {
      const text = await (await latchkey.get('/metrics')).text()
      for (const from of ['ring', 'changelog', 'reset'] as const) {
        resumes[from] += Number(new RegExp(`resumes_total\\{from="${from}"\\} (\\d+)`).exec(text)![1])
      }
    }
    try {
      for (let slice = 0; slice < clientKills; slice++) {
        const writing = write(changes / clientKills)
        // Somewhere within what the slice brings.
        const goal = client.changes + random.below(changes / clientKills / 4)
        await until('some of it has come', () => client.changes >= goal || !client.isRunning, 3_000).catch(() => {})
        await client.kill()
        const isStoreKilled =
          Math.floor(((slice + 1) * storeKills) / clientKills) > Math.floor((slice * storeKills) / clientKills)
        if (isStoreKilled) {
          await count()
          await latchkey.kill()
          await latchkey.close()
          latchkey = await start()
          await serves()
        }
        // Some clients return while nothing is written, and some much later.
        if (random.below(3) === 0) await writing
        client.start(urlOf())
        await writing
      }
      const sorted = (map: ReadonlyMap<string, string>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
      const isEqual = () =>
        client.content.size === content.size && Bun.deepEquals(sorted(client.content), sorted(content))
      await until('the client has everything', isEqual, settleMs).catch(() => {})
      expect(sorted(client.content), `LATCHKEY_SEED=${random.seed}`).toEqual(sorted(content))
      expect(client.wentBack).toEqual([])
      await count()
      console.log(`${changes} changes, ${clientKills} client kills, ${storeKills} store kills:`)
      console.log(`${client.changes} events, ${client.resets} resets, resumes ${JSON.stringify(resumes)}`)
      // The listing of the beginning may be cut; a client that has a place never begins again.
      expect(resumes.reset).toBe(0)
      expect(resumes.changelog).toBeGreaterThan(0)
    } finally {
      await client.kill()
      await latchkey.close()
      await producer.disconnect()
    }
  },
  60_000 + changes,
)
