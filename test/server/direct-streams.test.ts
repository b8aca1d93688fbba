/** Streams of Bun's server at the public port: their number has a bound. */
import { expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { directStreamsMax } from '../../lib/server/open-streams.ts'
import { serveFake } from '../support/http/fake-store.ts'
import { open, statusesIn } from '../support/server/clients.ts'
import { until } from '../support/until.ts'

interface Client {
  readonly socket: Socket
  text: string
}

async function follow(port: number): Promise<Client> {
  const client: Client = { socket: await open(port), text: '' }
  client.socket.on('data', (chunk) => (client.text += String(chunk)))
  client.socket.write('GET /changes/orders HTTP/1.1\r\nHost: a\r\n\r\n')
  await until('a stream is answered', () => client.text.includes('\r\n\r\n'))
  return client
}

test('beyond the bound, a stream is refused with what to do, until another one ends', async () => {
  await using served = serveFake({ hasFastPath: false })
  const { store, server, url } = served
  const isOpen = () => store.changes.followers.filter(({ isClosed }) => !isClosed).length
  for (let index = 0; index < 2 * directStreamsMax; index++) await fetch(`${url}/changes/orders`, { method: 'HEAD' })
  const clients = await Promise.all(Array.from({ length: directStreamsMax }, () => follow(server.port)))
  const refused = await follow(server.port)
  expect(statusesIn(refused.text)).toEqual([503])
  expect(refused.text).toContain(
    'Opening a stream: 256 are open already, the most with HTTP_FAST_PATH=false. Retry later, or leave that setting out',
  )
  expect(isOpen()).toBe(directStreamsMax)
  clients[0]!.socket.destroy()
  await until('its stream has ended', () => isOpen() < directStreamsMax)
  clients.push(await follow(server.port), refused)
  expect(statusesIn(clients.map(({ text }) => text).join('')).filter((status) => status !== 200)).toEqual([503])
  for (const { socket } of clients) socket.destroy()
})
