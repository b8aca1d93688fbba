import { expect, test } from 'bun:test'
import { deflateRawSync } from 'node:zlib'
import type { GroupPlan, MemberReport } from '../../lib/group-protocol/member.ts'
import { assignPartitions } from '../../lib/group/assignor.ts'
import { decodeMember, decodePlan, encodeMember, encodePlan } from '../../lib/group/member-data.ts'
import { GroupModel, newHolding } from '../support/group/group-model.ts'

const report: MemberReport = {
  id: 'i1',
  url: 'https://10.0.0.1:8080/orders',
  rack: 'a',
  partitionCount: 12,
  startedAtMs: 1_700_000_000_000,
  settings: { PARTITIONER: 'abcdefgh' },
  isLeaving: true,
  isUnreachable: false,
  roomBytes: 2 ** 40,
  held: [
    { ...newHolding(3), position: 2 ** 50, bytes: 2 ** 34, term: 12, isReady: true, isPrimary: true, isHalfRead: true },
    { ...newHolding(11), isPromoting: true, isComplete: true, hasStrangers: true, isStalled: true },
  ],
}

test.each([undefined, 'a token'])('a member reads back what another one reports, with token %j', (token) => {
  expect(decodeMember('orders', token, encodeMember('orders', token, report))).toEqual({ value: report })
  const unbounded = { ...report, roomBytes: Number.POSITIVE_INFINITY, isLeaving: false, isUnreachable: true }
  expect(decodeMember('orders', token, encodeMember('orders', token, unbounded))).toEqual({ value: unbounded })
  const short = { ...report, unfit: [{ partition: 7, bytes: 2 ** 30 }] }
  expect(decodeMember('orders', token, encodeMember('orders', token, short))).toEqual({ value: short })
})

test.each([
  ['that is held', 3],
  ['that is unknown', 12],
])('data of a member without room for a partition %s are refused', (_, partition) => {
  const data = encodeMember('orders', undefined, { ...report, unfit: [{ partition, bytes: 1 }] })
  expect(decodeMember('orders', undefined, data).value).toBeUndefined()
})

test.each([
  ['no token', undefined, 'a token', 'not signed'],
  ['a token where there is none', 'a token', undefined, 'this instance has none'],
  ['another token', 'other', 'a token', 'signed with another SERVER_TOKEN'],
])('data of a member with %s are refused', (_, theirs, ours, reason) => {
  expect(decodeMember('orders', ours, encodeMember('orders', theirs, report)).reason).toContain(reason)
})

test.each(['a\r\nSet-Cookie: b', '', 'ä', 'a b'])('an id that cannot stand in a header is refused: %j', (id) => {
  expect(decodeMember('orders', undefined, encodeMember('orders', undefined, { ...report, id })).reason).toContain('id')
  const plan = aPlan()
  const forged = { ...plan, members: plan.members.map((member) => ({ ...member, id })) }
  const purpose = { group: 'orders', generation: 3 }
  expect(decodePlan(purpose, undefined, encodePlan(purpose, undefined, forged)).value).toBeUndefined()
})

test('a signature counts for its content, its group and its kind, and a plan for its generation', () => {
  const token = 'a token'
  const bytes = encodeMember('orders', token, report)
  expect(decodeMember('other', token, bytes).reason).toContain('another SERVER_TOKEN')
  for (let at = 1; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    expect(decodeMember('orders', token, changed).value).toBeUndefined()
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeMember('orders', token, bytes.subarray(0, length)).value).toBeUndefined()
  }
  const plan = encodePlan({ group: 'orders', generation: 3 }, token, aPlan())
  expect(decodePlan({ group: 'orders', generation: 3 }, token, plan).value).toEqual(aPlan())
  expect(decodePlan({ group: 'orders', generation: 4 }, token, plan).reason).toContain('another SERVER_TOKEN')
  expect(decodeMember('orders', token, plan).reason).toContain('another SERVER_TOKEN')
})

test('an empty assignment is a plan without partitions, which says why', () => {
  const { value } = decodePlan({ group: 'orders', generation: 3 }, 'a token', Buffer.alloc(0))
  const reason = 'the group has more members than its coordinator can keep: end some'
  expect(value).toEqual({ members: [], routes: [], excluded: [{ memberId: '', url: '', reason }] })
})

function aPlan(): GroupPlan {
  const model = new GroupModel(5)
  model.join()
  model.join()
  const excluded = [{ memberId: 'm', url: '', reason: 'not signed' }]
  return assignPartitions(model.members, { standbys: 1, isSettled: true }, excluded)
}

/** As a member without a token could send it. */
function written(json: unknown): Buffer {
  return Buffer.concat([Buffer.of(0), deflateRawSync(typeof json === 'string' ? json : JSON.stringify(json))])
}

const sent = {
  id: 'i1',
  url: 'http://h:1',
  rack: '',
  partitions: 4,
  since: 0,
  settings: {},
  flags: 0,
  room: null,
  held: [[3, 10, 20, 1, -1]],
}

test('fields that this version does not have are ignored', () => {
  const { value } = decodeMember('orders', undefined, written({ ...sent, later: { v: 2 } }))
  expect(value).toMatchObject({
    id: 'i1',
    roomBytes: Number.POSITIVE_INFINITY,
    held: [{ partition: 3, isReady: true }],
  })
})

test.each([
  ['no JSON', '{'],
  ['another form', []],
  ['null', 'null'],
  ['no id', { ...sent, id: '' }],
  ['an id that fills plans', { ...sent, id: 'x'.repeat(33) }],
  ['a URL with a line break', { ...sent, url: 'http://h:1/\nb' }],
  ['a URL with controls around it', { ...sent, url: '\u001bhttp://h:1' }],
  ['a URL with marks that hide text', { ...sent, url: 'http://h:1/\u202eb' }],
  ['no URL', { ...sent, url: 'h:1 ' }],
  ['a file', { ...sent, url: 'file:///etc/passwd' }],
  ['a URL with credentials', { ...sent, url: 'http://a:b@h:1' }],
  ['a URL with a query', { ...sent, url: 'http://h:1/?a' }],
  ['a URL with an empty query', { ...sent, url: 'http://h:1/?' }],
  ['a negative position', { ...sent, held: [[3, -1, 20, 1, 5]] }],
  ['a fraction', { ...sent, held: [[3, 1.5, 20, 1, 5]] }],
  ['a number that is not exact', { ...sent, held: [[3, 2 ** 60, 20, 1, 5]] }],
  ['a partition that does not exist', { ...sent, held: [[4, 1, 20, 1, 5]] }],
  [
    'a partition twice',
    {
      ...sent,
      held: [
        [3, 1, 20, 1, 5],
        [3, 2, 20, 1, 5],
      ],
    },
  ],
  ['too many partitions', { ...sent, partitions: 100_001 }],
  ['negative room', { ...sent, room: -1 }],
  ['settings that are no text', { ...sent, settings: { a: 1 } }],
])('a member that sends %s is not read', (_, json) => {
  expect(decodeMember('orders', undefined, written(json)).reason).toContain('not readable')
})

test('a small message that inflates to much is not read', () => {
  const bytes = written(`{"id":"${' '.repeat(20_000_000)}"}`)
  expect(bytes.length).toBeLessThan(100_000)
  expect(decodeMember('orders', undefined, bytes).reason).toContain('not readable')
})

test.each([
  [
    'a primary that does not exist',
    [
      [0, -1, 0],
      [1, -1, 0],
    ],
  ],
  ['a copy that does not exist', [[0, -1, 0, 1]]],
  ['a copy at no member', [[0, -1, 0, -1]]],
  ['a route that is too short', [[0, -1]]],
])('a plan with %s is not read', (_, routes) => {
  const bytes = written({ members: [['m', 'i', 'http://h:1']], routes, excluded: [] })
  expect(decodePlan({ group: 'orders', generation: 1 }, undefined, bytes).reason).toContain('not readable')
})
