/** Which roles partitions have while they are rebuilt: that of the primary, and no other. */
import { afterEach, expect, test } from 'bun:test'
import { settled, startRoleChanges as start, stopRoleChanges } from '../support/store-thread/role-changes-setup.ts'
import { until } from '../support/until.ts'

afterEach(stopRoleChanges)

const elastic = { lingerMs: 1 }

test('what is to be rebuilt is filled to be a primary, hidden, and copied by the others when it is complete', async () => {
  const { changes, done, next, noted, stats } = start([], [], elastic)
  changes.begin()
  for (const partition of [0, 1, 2]) noted.add(partition)
  changes.want({ primaries: [0], replicas: [1, 2, 3] })
  await settled()
  expect(done).toEqual(['add 0', 'add 3'])
  expect([0, 3].map((partition) => stats.gauge(partition, 'hidden'))).toEqual([1, 0])
  await next()
  await next()
  noted.delete(2)
  await until('one is complete', () => done.length > 2)
  expect([done.slice(2), stats.gauge(2, 'hidden')]).toEqual([['add 2'], 0])
  // Its primary has ended, and this instance is to go on.
  changes.want({ primaries: [0, 1], replicas: [2, 3] })
  await settled()
  expect([done.slice(3), stats.gauge(1, 'hidden')]).toEqual([['add 1'], 1])
})

test('what was filled to be rebuilt leaves when another instance is to do it', async () => {
  const { changes, done, next, fill, noted, take, stats } = start([], [], elastic)
  changes.begin()
  noted.add(0)
  changes.want({ primaries: [0], replicas: [] })
  await settled()
  await next()
  changes.want({ primaries: [], replicas: [0] })
  expect(done).toEqual(['add 0', 'drop 0'])
  await next()
  expect(done).toHaveLength(2)

  // Also where it was a primary by then.
  changes.want({ primaries: [0], replicas: [] })
  await settled()
  await next()
  fill(0)
  await next()
  expect(done.slice(2)).toEqual(['add 0', 'take 0'])
  stats.setGauge(0, 'hidden', 1)
  take(0)
  changes.want({ primaries: [], replicas: [0] })
  await next()
  expect(done.slice(4)).toEqual(['release 0', 'drop 0'])
})

test('a copy leaves when it reads that its primary rebuilds, except if it is to be the next one', async () => {
  const { changes, done, next, noted, readDiscard } = start([], [0, 1], elastic)
  changes.begin()
  changes.want({ primaries: [], replicas: [0, 1] })
  for (const partition of [0, 1]) noted.add(partition)
  readDiscard(0)
  expect(done).toEqual(['drop 0'])
  await next()
  expect(done).toHaveLength(1)
  changes.want({ primaries: [1], replicas: [0] })
  readDiscard(1)
  await settled()
  expect(done.slice(1)).toEqual(['take 1'])
})
