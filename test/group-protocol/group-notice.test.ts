import { expect, test } from 'bun:test'
import { GroupNotice, supersededMs } from '../../lib/group-protocol/group-notice.ts'
import { bootTimeMs } from '../../lib/linux/boot-time.ts'

const sessionTimeoutMs = 6_000

test('a notice begins without a lease, a generation and a join', () => {
  const notice = new GroupNotice(GroupNotice.buffer(sessionTimeoutMs))
  expect(notice.hasLease()).toBe(false)
  expect(notice.leaseMs()).toBe(0)
  expect(notice.generation).toBe(-1)
  expect(notice.isJoining).toBe(false)
  expect(notice.holdsUntilMs).toBe(0)
})

test('a lease lasts a session timeout from when the answered heartbeat was sent', () => {
  const notice = new GroupNotice(GroupNotice.buffer(sessionTimeoutMs))
  notice.answered(1_000)
  expect(notice.hasLease(6_999)).toBe(true)
  expect(notice.leaseMs(6_999)).toBe(1)
  expect(notice.hasLease(7_000)).toBe(false)
  notice.answered(500)
  expect(notice.leaseMs(6_999)).toBe(1)
  notice.endLease()
  expect(notice.hasLease(1_000)).toBe(false)
})

test('a plan is the present one for less time than others wait for that, and no plan of another generation is', () => {
  const notice = new GroupNotice(GroupNotice.buffer(sessionTimeoutMs))
  notice.generation = 4
  expect(notice.isCurrent(4, 1_000)).toBe(false)
  notice.confirmed(1_000)
  expect([notice.isCurrent(4, 1_000), notice.isCurrent(3, 1_000)]).toEqual([true, false])
  expect(notice.isCurrent(4, 1_000 + supersededMs)).toBe(false)
})

test('a lease counts from when it was sent, also if the answer came late', () => {
  const notice = new GroupNotice(GroupNotice.buffer(sessionTimeoutMs))
  notice.answered(bootTimeMs())
  expect(notice.hasLease()).toBe(true)
  notice.endLease()
  notice.answered(bootTimeMs() - sessionTimeoutMs)
  expect(notice.hasLease()).toBe(false)
})

test('all threads see what the group thread writes', () => {
  const buffer = GroupNotice.buffer(sessionTimeoutMs)
  const writer = new GroupNotice(buffer)
  const reader = new GroupNotice(buffer)
  writer.isJoining = true
  writer.generation = 7
  writer.holdsUntilMs = 9
  expect([reader.isJoining, reader.generation, reader.holdsUntilMs]).toEqual([true, 7, 9])
  writer.isJoining = false
  expect(reader.isJoining).toBe(false)
})
