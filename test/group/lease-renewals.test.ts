/** When answers of the coordinator renew the lease. */
import { expect, test } from 'bun:test'
import { GroupNotice } from '../../lib/group-protocol/group-notice.ts'
import { LeaseRenewals } from '../../lib/group/lease-renewals.ts'

const nowMs = 1_000_000

function open() {
  const notice = new GroupNotice(GroupNotice.buffer(6_000))
  return { notice, renewals: new LeaseRenewals(notice) }
}

test('an answer renews the lease', () => {
  const { notice, renewals } = open()
  renewals.answered(nowMs, 1)
  expect([notice.hasLease(nowMs + 5_999), notice.hasLease(nowMs + 6_000)]).toEqual([true, false])
})

test('a plan is confirmed by answers about its generation only', () => {
  const { notice, renewals } = open()
  notice.generation = 4
  renewals.answered(nowMs, 5)
  expect(notice.isCurrent(4, nowMs)).toBe(false)
  renewals.answered(nowMs, 4)
  expect(notice.isCurrent(4, nowMs)).toBe(true)
})

test('a member that was removed has no lease until it claims what the next plan gives to it', () => {
  const { notice, renewals } = open()
  notice.generation = 4
  renewals.answered(nowMs, 1)
  renewals.end()
  // What was on its way.
  renewals.agreed(4)
  renewals.answered(nowMs, 1)
  expect(notice.hasLease(nowMs)).toBe(false)
  notice.generation = 6
  renewals.answered(nowMs, 1)
  expect(notice.hasLease(nowMs)).toBe(false)
  renewals.agreed(6)
  renewals.answered(nowMs, 1)
  expect(notice.hasLease(nowMs)).toBe(true)
})
