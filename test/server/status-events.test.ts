/** The executable's stream of status events: each HTTP thread has the figures of all threads, and none has a secret. */
import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StatusEvent } from '../../lib/http/status-events/status-event.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { FeedClient } from '../support/http/feed-client.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { until } from '../support/until.ts'

const token = 'r4nd0m-token-of-the-store'
const authorization = `Bearer ${token}`
/** The kernel shares connections out by chance. */
const connections = 24
const records = 60

function lastOf({ stream }: FeedClient): StatusEvent | undefined {
  const data = stream.events.at(-1)?.data
  return data === undefined ? undefined : (JSON.parse(data) as StatusEvent)
}

test('every thread streams the status of all threads, with settings and bad records', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('status'), { partitions: 3 })
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, SERVER_TOKEN: token }
  const threads = { HTTP_THREADS: '3', STORE_THREADS: '2' }
  const latchkey = await LatchkeyProcess.start({ settings: { ...settings, ...threads } })
  try {
    await latchkey.until('it is ready', () => latchkey.isReady())
    const address = `${latchkey.url}/status-store/${topic}/events`
    const headers = { authorization, connection: 'close' }
    const openedAt = Date.now()
    const clients = await Promise.all(Array.from({ length: connections }, () => FeedClient.open(address, headers)))
    const producer = kafkaClient(broker).producer()
    await producer.connect()
    const good = Array.from({ length: records }, (_, index) => ({ key: `user-${index}`, value: '{"card":"4929"}' }))
    const bad = [0, 1, 2].map((partition) => ({ key: null, value: '{"card":"4929"}', partition }))
    await producer.send({ topic, messages: [...good, ...bad] })
    await producer.disconnect()
    await until('every client has seen the records', () => {
      return clients.every((client) => {
        const event = lastOf(client)
        return event?.totals.entries === records && event.badRecords.last.length === bad.length
      })
    })
    for (const client of clients) {
      const event = lastOf(client)!
      expect(event).toMatchObject({
        id: topic,
        topic,
        changelog: `${topic}-changelog`,
        state: 'running',
        isReady: true,
        conditions: [],
        progress: null,
        totals: { partitions: 3, entries: records },
        badRecords: { total: 3, byReason: { null_key: 3 } },
      })
      expect(event.badRecords.last.map(({ partition, fault }) => [partition, fault]).toSorted()).toEqual(
        [0, 1, 2].map((partition) => [partition, 'it has no key']),
      )
      expect(event.settings.find(({ name }) => name === 'SERVER_TOKEN')).toMatchObject({ value: null, isGiven: true })
      expect(event.settings.find(({ name }) => name === 'STORE_THREADS')).toMatchObject({ value: '2' })
      expect(client.text).not.toContain(token)
      expect(client.text).not.toContain('4929')
    }
    const metrics = await (await fetch(`${latchkey.url}/metrics`, { headers })).text()
    const startedAt = 1_000 * Number(/^latchkey_process_start_time_seconds (\S+)$/m.exec(metrics)![1])
    const secondsAt = (time: number) => Math.round((time - startedAt) / 1_000)
    for (const { uptimeSeconds } of clients.map((client) => lastOf(client)!)) {
      expect(uptimeSeconds).toBeWithin(secondsAt(openedAt), secondsAt(Date.now()) + 1)
    }
    // Without RESP_PORT the series of its commands exist, too.
    expect(metrics).toContain('latchkey_resp_commands_total{command="get"} 0')
    // A reload changes what every thread shows.
    const path = join(latchkey.folder, '.env')
    writeFileSync(path, 'LOG_LEVEL=warning\n')
    latchkey.signal('SIGHUP')
    const logLevelOf = (client: FeedClient) => lastOf(client)!.settings.find(({ name }) => name === 'LOG_LEVEL')
    await until('every client sees the other setting', () => {
      return clients.every((client) => logLevelOf(client)?.value === 'warning')
    })
    expect(logLevelOf(clients[0]!)).toMatchObject({ isGiven: true, origin: expect.stringMatching(/\/\.env$/) })
    await latchkey.stop()
    await until('the streams have ended', () => clients.every(({ end }) => end === 'whole'))
  } finally {
    await latchkey.close()
  }
})
