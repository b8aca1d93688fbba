/** Which changes a wish leads to, and when. */
import { afterEach, expect, test } from 'bun:test'
import { GroupNotice } from '../../lib/group-protocol/group-notice.ts'
import { settled, startRoleChanges as start, stopRoleChanges } from '../support/store-thread/role-changes-setup.ts'
import { captureLog } from '../support/store-thread/stand-ins.ts'
import { until } from '../support/until.ts'

afterEach(stopRoleChanges)

test('a wish is fulfilled once the store runs, replicas together', () => {
  const { changes, done } = start([0], [1, 2, 3])
  changes.want({ primaries: [1, 2], replicas: [0, 3] })
  expect(done).toEqual([])
  changes.begin()
  expect(done).toEqual(['release 0', 'take 1 2'])
})

test('a partition has one change at a time, and the last wish counts', async () => {
  const { changes, done, next } = start([0], [])
  changes.begin()
  changes.want({ primaries: [], replicas: [0] })
  changes.want({ primaries: [0], replicas: [] })
  changes.want({ primaries: [], replicas: [0] })
  changes.want({ primaries: [0], replicas: [] })
  expect(done).toEqual(['release 0'])
  await next()
  expect(done).toEqual(['release 0', 'take 0'])
  await next()
  expect(done).toHaveLength(2)
})

test('a partition that is wished for in both roles is a primary, and stays one', async () => {
  const { changes, done, next } = start([], [0])
  changes.begin()
  changes.want({ primaries: [0], replicas: [0] })
  await next()
  expect(done).toEqual(['take 0'])
})

test('a partition that another instance has taken is tried again with the next wish, and the others are taken', async () => {
  const { changes, done, next, failures, roles, foreign, stats } = start([], [0, 1])
  changes.begin()
  foreign.add(0)
  changes.want({ primaries: [0, 1], replicas: [] })
  expect([0, 1].map((partition) => stats.gauge(partition, 'promoting'))).toEqual([1, 1])
  await next()
  expect([done, failures, roles.primaries]).toEqual([['take 0 1', 'cancel'], [], [1]])
  expect([0, 1].map((partition) => stats.gauge(partition, 'promoting'))).toEqual([0, 0])
  changes.want({ primaries: [0, 1], replicas: [] })
  expect(done).toEqual(['take 0 1', 'cancel', 'take 0'])
})

test('a primary that another instance has taken is a replica, and is taken again with the next wish only', async () => {
  const { changes, done, next, take } = start([0, 1], [], { lingerMs: 1 })
  changes.begin()
  changes.want({ primaries: [0, 1], replicas: [] })
  take(0)
  expect(done).toEqual(['release 0'])
  await next()
  expect(done).toEqual(['release 0'])
  changes.want({ primaries: [0, 1], replicas: [] })
  expect(done).toEqual(['release 0', 'take 0'])
  // Another instance takes it while it becomes a primary.
  take(0)
  await next()
  expect(done).toEqual(['release 0', 'take 0', 'release 0'])
  // Its release has begun already.
  changes.want({ primaries: [1], replicas: [0] })
  await next()
  changes.want({ primaries: [0], replicas: [1] })
  take(1)
  expect(done.slice(3)).toEqual(['release 1', 'take 0'])
  await next()
  expect(done).toHaveLength(5)
})

test('a primary of an instance that was removed is released, also if the next plan gives it back at once', async () => {
  const { changes, done, next, roles, late } = start([], [0], { lingerMs: 1 })
  const member = { memberId: 'one', generation: 3 }
  changes.begin()
  changes.want({ primaries: [0], replicas: [], member })
  // It has its new role, and the change is not done yet.
  roles.primaries.push(...roles.replicas.splice(0))
  late.add(0)
  changes.want({ primaries: [], replicas: [0], member: null })
  changes.want({ primaries: [0], replicas: [], member: { ...member, generation: 4 } })
  await next()
  expect(done).toEqual(['take 0', 'release 0'])
  await next()
  expect(done).toEqual(['take 0', 'release 0', 'take 0'])
})

test('a primary of an instance that has left its group stays one, where no other instance takes it', async () => {
  const { changes, done } = start([0], [], { lingerMs: 1 })
  const wish = { primaries: [0], replicas: [], member: { memberId: 'one', generation: 3 } }
  changes.begin()
  changes.want(wish)
  changes.want({ ...wish, member: null, isLast: true })
  await settled()
  expect(done).toEqual([])
})

test('a plan that is repeated takes nothing from another instance that has taken it since', async () => {
  const { changes, done, next, take } = start([0], [], { lingerMs: 1 })
  changes.begin()
  const wish = { primaries: [0], replicas: [], member: { memberId: 'one', generation: 3 } }
  changes.want(wish)
  take(0)
  await next()
  changes.want(wish)
  changes.want({ ...wish, member: null })
  expect(done).toEqual(['release 0'])
  changes.want({ ...wish, member: { memberId: 'one', generation: 4 } })
  expect(done).toEqual(['release 0', 'take 0'])
})

test('a primary keeps its role without a group when another instance has taken it', () => {
  const { changes, done, take } = start([0], [])
  changes.begin()
  take(0)
  expect(done).toEqual([])
})

test('a replica becomes a primary once it is filled, and not while memory is full', async () => {
  const { changes, done, next, fill, holdMemory } = start([], [], { lingerMs: 1 })
  changes.begin()
  changes.want({ primaries: [2], replicas: [] })
  await settled()
  expect(done).toEqual(['add 2'])
  await next()
  expect(done).toEqual(['add 2'])
  holdMemory()
  fill(2)
  expect(done).toEqual(['add 2'])
  holdMemory(false)
  expect(done).toEqual(['add 2', 'take 2'])
})

test('partitions are filled some at a time, the primaries first', async () => {
  const { changes, done, next, fill } = start([], [], { lingerMs: 1 })
  changes.begin()
  changes.want({ primaries: [4, 5], replicas: [0, 1, 2, 3] })
  // Those that begin count, too.
  changes.want({ primaries: [4, 5], replicas: [0, 1, 2, 3] })
  await settled()
  expect(done).toEqual(['add 4', 'add 5', 'add 0', 'add 1'])
  for (let add = 0; add < 4; add++) await next()
  expect(done).toHaveLength(4)
  fill(0)
  await settled()
  expect(done.slice(4)).toEqual(['add 2'])
})

test('a partition that is not wanted any more is given up, stays for a time, and leaves', async () => {
  const { changes, done, next, roles } = start([0], [1], { lingerMs: 1 })
  changes.begin()
  changes.want({ primaries: [], replicas: [1] })
  expect(done).toEqual(['release 0'])
  await next()
  await until('it leaves', () => done.length > 1)
  expect(done).toEqual(['release 0', 'drop 0'])
  // It is wanted again while it leaves.
  changes.want({ primaries: [], replicas: [0, 1] })
  expect(done).toHaveLength(2)
  await next()
  expect(done.slice(2)).toEqual(['add 0'])
  expect(roles.replicas).toEqual([1, 0])
})

test('a partition of neither list keeps its role where partitions do not come and go', async () => {
  const { changes, done } = start([0], [1])
  changes.begin()
  changes.want({ primaries: [2], replicas: [] })
  await new Promise(setImmediate)
  expect(done).toEqual([])
})

test('partitions do not wait for one whose marker is late, nor for one that is read from the start', async () => {
  const { changes, done, next, late, cold, roles } = start([], [0, 1, 2])
  late.add(1)
  cold.add(2)
  changes.begin()
  changes.want({ primaries: [0, 1, 2], replicas: [] })
  expect(done).toEqual(['take 0 1', 'take 2'])
  await next()
  expect([done.slice(2), roles.primaries]).toEqual([['cancel', 'take 1'], [0]])
  await next()
  await next()
  expect(roles.primaries).toEqual([0, 2, 1])
})

test('no promotion begins between the report of an instance and the plan', async () => {
  const buffer = GroupNotice.buffer(6_000)
  const group = new GroupNotice(buffer)
  const { changes, done, stats } = start([], [0], { notice: buffer })
  changes.begin()
  group.isJoining = true
  changes.want({ primaries: [0], replicas: [] })
  expect([done, stats.gauge(0, 'promoting')]).toEqual([[], 0])
  group.isJoining = false
  await until('it is taken', () => done.length > 0)
  expect([done, stats.gauge(0, 'promoting')]).toEqual([['take 0'], 1])
})

test('what does not fit is not copied until there is room, and what is being filled gives way to what is held', async () => {
  const lines = captureLog()
  const { changes, done, next, holdMemory, room, sizes } = start([0], [], { lingerMs: 1 })
  changes.begin()
  room.bytes = 100
  changes.want({ primaries: [0, 1], replicas: [2, 3] })
  await settled()
  expect(done).toEqual([])
  const refused = lines.filter((line) => line.includes('Copying partition'))
  expect(refused.map((line) => line.slice(0, 27))).toEqual([1, 2, 3].map((one) => `warning Copying partition ${one}`))
  room.bytes = 1_000_000
  holdMemory(false)
  await settled()
  expect(done).toEqual(['add 1', 'add 2', 'add 3'])
  for (let added = 0; added < 3; added++) await next()
  sizes.set(3, 2_000_000)
  holdMemory()
  expect(done).toHaveLength(3)
  holdMemory(true, true)
  expect(done.slice(3)).toEqual(['drop 3'])
  await next()
  // One after the other, while memory is full.
  expect(done.slice(4)).toEqual(['drop 2'])
  holdMemory(false)
  await next()
  expect(done.slice(5)).toEqual(['add 2'])
  await next()
  room.bytes = 3_000_000
  changes.want({ primaries: [0, 1], replicas: [2, 3] })
  await settled()
  expect(done.slice(6)).toEqual(['add 3'])
})

test('a whole copy gives way, too, where primaries need its room, and the group knows how much it needs', async () => {
  const { changes, done, next, holdMemory, stats, sizes, room, fill } = start([0], [1, 2, 3], { lingerMs: 1 })
  const neededBytes = (partition: number) => stats.gauge(partition, 'neededBytes')
  changes.begin()
  changes.want({ primaries: [0, 4], replicas: [3, 2, 1] })
  await settled()
  await next()
  expect(done).toEqual(['add 4'])
  expect(neededBytes(4)).toBeGreaterThan(1_000)
  sizes.set(1, 50_000)
  room.bytes = 40_000
  holdMemory(true, true)
  expect(done.slice(1)).toEqual(['drop 1'])
  await next()
  expect([done.slice(2), neededBytes(1)]).toEqual([['drop 2'], 50_000])
  holdMemory(false)
  await next()
  // There is room for what it needs, which is less.
  expect(done.slice(3)).toEqual(['add 2'])
  await next()
  fill(4)
  await next()
  room.bytes = 60_000
  changes.want({ primaries: [0, 4], replicas: [3, 2] })
  await settled()
  expect([done.includes('add 1'), neededBytes(1)]).toEqual([false, -1])
})
