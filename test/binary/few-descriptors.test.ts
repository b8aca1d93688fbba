/** With few descriptors and far more clients, the store reconnects to a restarted broker, and the log counts the refused clients correctly. */
import { expect, test } from 'bun:test'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { builtExecutable } from '../support/binary/built.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, type KafkaBroker, kafkaClient, startKafka, uniqueName } from '../support/kafka/index.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const descriptorsMax = 1_024
const clientsMax = 1_500
const pauseMs = 200
const testTimeoutMs = 120_000

async function produce(broker: KafkaBroker, topic: string, value: string): Promise<void> {
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'key', value }] })
  await producer.disconnect()
}

/** Clients that ask again and again, and come again when they were closed. */
class Crowd {
  answered = 0
  closed = 0
  readonly #sockets = new Set<Socket>()
  readonly #port: number
  #isOver = false

  constructor(port: number) {
    this.#port = port
  }

  add(request: string): void {
    if (this.#isOver) return
    const socket = connect(this.#port, '127.0.0.1', () => socket.write(request))
    this.#sockets.add(socket)
    socket.on('data', () => {
      this.answered++
      setTimeout(() => socket.write(request), pauseMs)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed++
      this.#sockets.delete(socket)
      setTimeout(() => this.add(request), pauseMs)
    })
  }

  end(): void {
    this.#isOver = true
    for (const socket of this.#sockets) socket.destroy()
  }
}

test(
  'the store reconnects to a restarted broker while more clients send forwarded requests than there are descriptors',
  async () => {
    const folder = temporaryFolder('limited')
    const path = join(folder, 'latchkey')
    writeFileSync(path, `#!/bin/sh\nulimit -n ${descriptorsMax}\nexec '${await builtExecutable()}' "$@"\n`)
    chmodSync(path, 0o755)
    const broker = await startKafka()
    const topic = await createTopic(broker, uniqueName('crowded'))
    const settings = { ...localPort, KAFKA_BROKERS: broker.bootstrap, SOURCE_TOPIC: topic }
    const latchkey = await LatchkeyProcess.start({ path, settings })
    let crowd: Crowd | undefined
    try {
      await produce(broker, topic, 'first')
      await latchkey.until('it is ready', () => latchkey.isReady())
      const { port } = new URL(latchkey.url!)
      crowd = new Crowd(Number(port))
      const host = `Host: 127.0.0.1:${port}\r\n`
      const requests = [
        `GET /stores/${topic}/key HTTP/1.1\r\n${host}\r\n`,
        `POST /flush-store/${topic} HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`,
      ]
      for (let index = 0; index < clientsMax; index++) crowd.add(requests[index % 2]!)
      await latchkey.until('some are answered, and some are closed', () => {
        return crowd!.answered > clientsMax && latchkey.stderr.includes('Taking connections')
      })
      await broker.kill()
      await latchkey.until('the broker is missed', () => latchkey.stderr.includes('no success for'))
      await broker.start()
      await produce(broker, topic, 'second')
      const asked = () => latchkey.get(`/stores/${topic}/key`, { headers: { Connection: 'close' } })
      const valueOf = async () => (await asked().catch(() => undefined))?.text().catch(() => undefined)
      await latchkey.until('what was written since is shown', async () => (await valueOf()) === 'second')

      crowd.end()
      const lines = latchkey.stderr.matchAll(/Taking connections: (\d+) were open, and (\d+) beyond them were closed/g)
      const logged = [...lines].map(([, open, closed]) => ({ open: Number(open), closed: Number(closed) }))
      for (const { open } of logged) {
        expect(open).toBeGreaterThan(descriptorsMax / 2)
        expect(open).toBeLessThan(descriptorsMax)
      }
      expect(logged.reduce((sum, { closed }) => sum + closed, 0)).toBeLessThanOrEqual(crowd.closed + clientsMax)
    } finally {
      crowd?.end()
      await latchkey.close()
      await broker.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
  testTimeoutMs,
)
