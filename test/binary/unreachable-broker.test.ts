import { expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { stackTrace } from '../support/binary/run-latchkey.ts'
import { createTopic, kafkaClient, sharedKafka, TcpProxy, uniqueName } from '../support/kafka/index.ts'

test('a store stays observable, reports the problem again and again, and recovers when the broker appears', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('unreachable'))
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'a', value: '1' }] })
  await producer.disconnect()
  const proxy = await TcpProxy.listen(broker.direct)
  await proxy.refuse()
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: proxy.address }
  const latchkey = await LatchkeyProcess.start({ settings })
  try {
    expect((await latchkey.get('/livez')).status).toBe(200)
    expect((await latchkey.get('/metrics')).status).toBe(200)
    expect((await latchkey.get('/readyz')).status).toBe(503)
    const lookup = await latchkey.get(`/stores/${topic}/a`)
    expect([lookup.status, await lookup.json()]).toEqual([503, expect.objectContaining({ code: 'recovering' })])

    const warnings = () => latchkey.stderr.match(new RegExp(`warning .*${proxy.address}.*still retrying`, 'g')) ?? []
    await latchkey.until('it is reported again', () => warnings().length >= 2)
    const status = await latchkey.status(topic)
    expect([status?.state, status?.reason]).toEqual(['starting', expect.stringContaining(proxy.address)])

    await proxy.accept()
    await latchkey.until('it is ready', () => latchkey.isReady())
    expect(await (await latchkey.get(`/stores/${topic}/a`)).text()).toBe('1')
    await latchkey.until('its trouble is over', async () => (await latchkey.status(topic))?.reason === undefined)
    expect(latchkey.stderr).toContain('working again')
    expect(latchkey.stderr).not.toMatch(stackTrace)
  } finally {
    await latchkey.close()
    await proxy.close()
  }
})
