/** A key that 1,000 clients follow: read once for each publish, and sent to all. */
import { expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { createRequestHandler } from '../../../lib/http/handler.ts'
import { listen } from '../../../lib/server/listen.ts'
import { open } from '../../support/server/clients.ts'
import { openMapStore } from '../../support/store/map-store.ts'
import { until } from '../../support/until.ts'

const clients = 1_000

test('a publish of a busy key is read once for 1,000 clients', async () => {
  const { store, put, publish } = await openMapStore(1, [{ primaries: [0] }])
  const server = listen(createRequestHandler(store), { bind: '127.0.0.1', port: 0 })
  const texts = new Map<Socket, string>()
  try {
    for (let client = 0; client < clients; client++) {
      const socket = await open(server.port)
      texts.set(socket, '')
      socket.on('data', (bytes) => void texts.set(socket, texts.get(socket)! + bytes.toString('latin1')))
      socket.write('GET /changes/orders?keys=busy HTTP/1.1\r\nHost: a\r\n\r\n')
    }
    await until('all follow', () => [...texts.values()].every((text) => text.includes('id: ')))
    let reads = 0
    const getMany = store.getMany.bind(store)
    store.getMany = (keys, bytesMax) => {
      reads++
      return getMany(keys, bytesMax)
    }
    for (let round = 1; round <= 3; round++) {
      put(0, 'busy', `{"round":${round}}`, round)
      await publish()
      await until('all have it', () => [...texts.values()].every((text) => text.includes(`{"round":${round}}`)))
      expect(reads).toBe(round)
    }
    const sent = [...texts.values()].map((text) => text.match(/"round":\d/g)!.join())
    expect(new Set(sent)).toEqual(new Set(['"round":1,"round":2,"round":3']))
  } finally {
    for (const socket of texts.keys()) socket.destroy()
    await server.stop(0)
    await store.close()
  }
})
