/** A replica that leaves memory and comes again, over brokers that are the test. */
import { afterEach, expect, test } from 'bun:test'
import { startReplica, stopReplicas } from '../support/store-thread/replica-setup.ts'
import { soon, until } from '../support/until.ts'

afterEach(stopReplicas)

test('nothing of a partition is there when it has left, and it is read from the start when it comes again', async () => {
  const { replicas, state, fill, text, map, stats, roles, publish } = startReplica()
  await fill(0, 'one', 'two')
  await soon('it is filled', replicas.filled)
  const dropping = replicas.drop(0)
  // Readers that do not find a key see that it is not complete.
  expect([state(), stats.gauge(0, 'refills')]).toEqual(['recovering', 1])
  await dropping
  expect([map.holds(0), text('k0'), roles.replicas, stats.partitions]).toEqual([false, undefined, [], []])
  expect([stats.gauge(0, 'position'), stats.gauge(0, 'state')]).toEqual([-1, -1])
  await replicas.add(0)
  expect([map.holds(0), roles.replicas, stats.partitions, state()]).toEqual([true, [0], [0], 'recovering'])
  // The Fetch that was sent before is answered, and its record is not taken.
  await fill(2, 'late')
  await fill(0, 'one', 'three')
  await until('it is filled again', () => state() === 'running')
  await publish()
  expect([text('k0'), text('k1')]).toEqual(['one', 'three'])
  expect(stats.count('changelogFellAt')).toBe(0)
})

test('a partition that leaves while it is filled leaves at once', async () => {
  const { replicas, state, fill, map, stats, text } = startReplica()
  await until('it is known where it begins', () => stats.gauge(0, 'recoveryEnd') >= 0)
  await replicas.drop(0)
  expect([map.holds(0), stats.partitions, stats.gauge(0, 'refills')]).toEqual([false, [], -1])
  await replicas.add(0)
  await fill(0, 'late', 'late')
  await fill(0, 'one', 'two')
  await until('it is filled', () => state() === 'running')
  expect(text('k1')).toBe('two')
})

test.each(['once', 'when it is filled again'])(
  'a partition whose changelog was recreated leaves %s, and is empty when it comes again',
  async (when) => {
    const { replicas, state, fill, recreate, hold, map, stats } = startReplica()
    await fill(0, 'old', 'old')
    await soon('it is filled', replicas.filled)
    const flushed = hold()
    await recreate(50, 52)
    await until('it is noticed', () => state() === 'recovering')
    if (when !== 'once') flushed()
    const dropping = replicas.drop(0)
    flushed()
    await dropping
    expect([map.holds(0), stats.partitions]).toEqual([false, []])
    await replicas.add(0)
    expect([map.holds(0), map.stats(0).entries]).toEqual([true, 0])
    await fill(50, 'new', 'new')
    await until('it is filled', () => state() === 'running')
  },
)
