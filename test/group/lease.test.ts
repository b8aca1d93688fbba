import { expect, test } from 'bun:test'
import { Lease } from '../../lib/group/lease.ts'

test('a lease lasts a session from when the last answered heartbeat was sent, in any order of answers', () => {
  const lease = new Lease(6_000)
  expect(lease.isHeld(0)).toBe(false)
  lease.answered(1_000)
  lease.answered(500)
  expect([lease.isHeld(6_999), lease.isHeld(7_000)]).toEqual([true, false])
  lease.answered(6_000)
  expect(lease.isHeld(11_999)).toBe(true)
  lease.end()
  expect(lease.isHeld(6_001)).toBe(false)
})
