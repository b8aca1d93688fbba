import { expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { requireReachable } from '../../../lib/kafka/connection/reachable.ts'
import { freePorts } from '../../support/process/ports.ts'

const missing = { host: 'no-such-host.invalid', port: 9092 }

test('requireReachable fails with advice when every address refuses or does not resolve', async () => {
  const [port = 0] = await freePorts(1)
  const refusing = { host: '127.0.0.1', port }
  await expect(requireReachable([refusing], 'KAFKA_BROKERS')).rejects.toMatchObject({
    code: 'broker_unreachable',
    message: `Connecting to 127.0.0.1:${port}: refused. Start the broker, or correct KAFKA_BROKERS`,
  })
  const unresolved = 'no-such-host.invalid:9092: the name does not resolve'
  await expect(requireReachable([refusing, missing], 'KAFKA_BROKERS')).rejects.toThrow(
    `Connecting to 127.0.0.1:${port}: refused, ${unresolved}. Start the broker, or correct KAFKA_BROKERS`,
  )
  await expect(requireReachable([missing], 'KAFKA_BROKERS')).rejects.toThrow(
    `Connecting to ${unresolved}. Correct KAFKA_BROKERS`,
  )
  await expect(requireReachable([missing, refusing], 'KAFKA_BROKERS')).rejects.toThrow(
    `Connecting to ${unresolved}, 127.0.0.1:${port}: refused. Start the broker, or correct KAFKA_BROKERS`,
  )
})

test.each([
  ['at once', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['when it has received a head', (received: string) => received.includes('\r\n\r\n') && 'HTTP/1.0 200 OK\r\n\r\n'],
  [
    'bytes that are no head with a page',
    (received: string) => (received.includes('GET') ? 'HTTP/1.0 200 OK\r\n\r\n' : '<!DOCTYPE HTML>'),
  ],
])('requireReachable fails when what accepts connections is an HTTP server, which answers %s', async (_, answerTo) => {
  const http = createServer((socket) => {
    let received = ''
    socket.on('data', (chunk) => {
      received += String(chunk)
      const answer = answerTo(received)
      if (answer) socket.end(answer)
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as { port: number }
  await expect(requireReachable([{ host: '127.0.0.1', port }], 'KAFKA_BROKERS')).rejects.toMatchObject({
    code: 'broker_unreachable',
    message: `Connecting to 127.0.0.1:${port}: it speaks HTTP and is not a Kafka broker. Correct KAFKA_BROKERS`,
  })
  http.close()
})

test('requireReachable resolves when one address accepts connections', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const reachable = requireReachable([missing, { host: '127.0.0.1', port }], 'KAFKA_BROKERS')
  expect(await reachable.then(() => 'reachable')).toBe('reachable')
  silent.close()
})
