/** SHUTDOWN_DELAY, as a load balancer and its clients see it. */
import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'

/** So many connections that the kernel gives some to each thread. */
const clients = 24

test('after SIGTERM all threads are not ready and answer all else, until a second signal', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('delay'), { partitions: 1 })
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, RESP_PORT: '0' }
  const latchkey = await LatchkeyProcess.start({ settings: { ...settings, HTTP_THREADS: '3', SHUTDOWN_DELAY: '3600' } })
  try {
    await latchkey.until('it is ready', () => latchkey.isReady())
    const url = await latchkey.listening()
    const statuses = async (path: string) => {
      const ask = () => fetch(url + path, { headers: { connection: 'close' } })
      return new Set((await Promise.all(Array.from({ length: clients }, ask))).map(({ status }) => status))
    }
    latchkey.signal('SIGTERM')
    const signalledAt = performance.now()
    await latchkey.until('it is not ready', async () => (await statuses('/readyz')).has(503))
    expect(await statuses('/readyz')).toEqual(new Set([503]))
    expect(await statuses('/livez')).toEqual(new Set([200]))
    const readiness = await (await fetch(`${url}/readyz?verbose`)).text()
    expect(readiness).toMatch(/\[-\]not_stopping SIGTERM was received: the process answers for \d+ s more/)
    // It still reads, writes and answers.
    const producer = kafkaClient(broker).producer()
    await producer.connect()
    await producer.send({ topic, messages: [{ key: 'a', value: '1' }] })
    await producer.disconnect()
    await latchkey.until('the value is there', async () => (await fetch(`${url}/stores/${topic}/a`)).status === 200)
    expect(await redisReply(latchkey.redisPort!, 'GET a')).toBe('$1\r\n1\r\n')
    expect((await latchkey.status(topic))?.state).toBe('running')
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toContain('latchkey_condition{name="not_stopping"} 0')
    expect(latchkey.stderr).toContain('SIGTERM: not ready any more; answering for 3600 s, then finishing')
    // A signal right after the first one is the same one.
    await latchkey.until('a further one is another one', () => performance.now() - signalledAt > 550)
    latchkey.signal('SIGTERM')
    expect(await latchkey.exited).toBe(0)
    expect(latchkey.stderr).toContain('Stopped: all connections')
  } finally {
    await latchkey.close()
  }
})

test('the process ends when the delay is over', async () => {
  const settings = { ...localPort, SOURCE_TOPIC: 'none', KAFKA_BROKERS: '127.0.0.1:9', SHUTDOWN_DELAY: '1' }
  const latchkey = await LatchkeyProcess.start({ settings })
  try {
    await latchkey.listening()
    expect(await latchkey.stop()).toBe(0)
    expect(latchkey.stderr).toMatch(/answering for 1 s[^]*The 1 s are over[^]*Stopped/)
  } finally {
    await latchkey.close()
  }
})

function redisReply(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.on('data', (bytes) => {
      resolve(bytes.toString())
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
