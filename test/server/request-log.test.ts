import { afterEach, expect, test } from 'bun:test'
import { configureLogging } from '../../lib/log/index.ts'
import { serveFake } from '../support/http/fake-store.ts'
import { FeedClient } from '../support/http/feed-client.ts'
import { until } from '../support/until.ts'

afterEach(() => configureLogging({ level: 'error', structured: false }))

test('a stream begins at once at trace without the fast path, and its line does not wait for its end', async () => {
  let log = ''
  // The level may come after the server.
  await using served = serveFake({ hasFastPath: false })
  configureLogging({ level: 'trace', structured: false, write: (line) => void (log += line) })
  await using feed = await FeedClient.open(`${served.url}/changes/orders`)
  expect(feed.response.status).toBe(200)
  await until('its line is logged', () => /Request GET from \S+: status 200, 0 bytes/.test(log))
})
