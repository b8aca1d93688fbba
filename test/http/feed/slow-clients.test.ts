/** Clients that follow changes and do not read: bounded in memory and time. */
import { describe, expect, test } from 'bun:test'
import type { ChangeBatch } from '../../../lib/store-protocol/following.ts'
import { allTransports } from '../../support/http/transports.ts'
import { until } from '../../support/until.ts'

const value = new TextEncoder().encode(JSON.stringify('x'.repeat(1_000_000)))
const entry = { key: new TextEncoder().encode('a'), value, partition: 0, offset: 1, timestamp: 1 }
const batch: ChangeBatch = { events: [{ type: 'put', entry }], place: undefined }
/** What the sockets of both sides hold, with TLS, and what the server keeps. */
const batchesMax = 24

for (const { name, serveFake, open } of allTransports) {
  describe(name, () => {
    test('a client that reads nothing is closed, and until then few changes are taken for it', async () => {
      await using served = serveFake({ idleTimeoutSeconds: 3 })
      const socket = await open(served.server.port)
      socket.pause()
      socket.on('error', () => {})
      socket.write('GET /changes/orders HTTP/1.1\r\nHost: a\r\n\r\n')
      const { followers } = served.store.changes
      await until('it is followed', () => followers.length === 1)
      followers[0]!.endless = batch
      followers[0]!.give(batch)
      await until('it is followed no more', () => followers[0]!.isClosed)
      expect(followers[0]!.taken).toBeLessThan(batchesMax)
      socket.destroy()
    })
  })
}
