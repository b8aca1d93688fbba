import { expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { DatagramSocket } from '../support/process/datagram-socket.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

test('the executable reports its start, readiness and stop to a service manager', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('notify'), { partitions: 1 })
  const folder = temporaryFolder('notify')
  const socket = new DatagramSocket(join(folder, 'socket'))
  const settings = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, NOTIFY_SOCKET: join(folder, 'socket') }
  const latchkey = await LatchkeyProcess.start({ settings: { ...localPort, ...settings } })
  try {
    await latchkey.until('it is ready', () => socket.received().some((message) => message.includes('READY=1')))
    expect(await latchkey.isReady()).toBe(true)
    expect(await latchkey.stop()).toBe(0)
    const [first, ...others] = socket.received()
    expect(first).toMatch(/^STATUS=.*\nEXTEND_TIMEOUT_USEC=60000000$/)
    expect(others.at(-1)).toBe('STOPPING=1\nSTATUS=Stopping')
  } finally {
    await latchkey.close()
    socket.close()
    rmSync(folder, { recursive: true })
  }
})
