import { expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { assignmentData, encodeSubscription } from '../../lib/group/consumer-protocol.ts'
import { Leader } from '../../lib/group/leader.ts'
import { decodePlan, encodeMember, encodePlan } from '../../lib/group/member-data.ts'
import { excludedReason } from '../../lib/group/read-plan.ts'
import { compareSettings, hashSettings } from '../../lib/group/settings.ts'
import { GroupModel, type ModelMember } from '../support/group/group-model.ts'

const group = 'orders'
const options = { group, topic: 'orders', token: 'a token', standbys: 1 }
const settings = hashSettings({
  SOURCE_TOPIC: 'orders',
  CHANGELOG_TOPIC: 'log',
  PARTITIONER: 'murmur2',
  KEEP_HEADERS: 'a',
})
const differing = { ...settings, ...hashSettings({ PARTITIONER: 'crc32' }) }

/** @param token undefined: none */
function joined(member: ModelMember, token: string | undefined) {
  return { memberId: member.memberId, metadata: encodeSubscription(['orders'], encodeMember(group, token, member)) }
}

test('members that cannot be read, and a member whose settings do not fit, get nothing, and are named', () => {
  const model = new GroupModel(6)
  const fit = [model.join({ settings }), model.join({ settings }), model.join({ settings }), model.join({ settings })]
  const other = model.join({ settings: differing })
  const stranger = model.join({ settings })
  const all = [...fit, other].map((member) => joined(member, options.token))
  const garbage = { memberId: 'garbage', metadata: Buffer.from('consumer') }
  const leader = new Leader(options)
  leader.decide([...all, joined(stranger, undefined), garbage], 1, 0)
  const {
    plan,
    assignments,
    differing: names,
  } = leader.decide([...all, joined(stranger, undefined), garbage], 2, 3_000)
  expect(plan.members.map(({ memberId }) => memberId).toSorted()).toEqual(
    fit.map(({ memberId }) => memberId).toSorted(),
  )
  expect(plan.routes.every(({ primary }) => primary >= 0)).toBe(true)
  expect(plan.excluded).toEqual([
    { memberId: stranger.memberId, url: '', reason: 'not signed: it has no SERVER_TOKEN' },
    { memberId: 'garbage', url: '', reason: expect.stringContaining('subscription') },
    {
      memberId: other.memberId,
      url: other.url,
      reason: 'PARTITIONER differs from the other members: set it as they have it',
    },
  ])
  expect(names).toEqual([])
  const received = (memberId: string) => {
    return decodePlan({ group, generation: 2 }, options.token, assignmentData(assignments.get(memberId)!)).value
  }
  for (const { memberId } of fit) expect(received(memberId)).toEqual(plan)
  // They see no other member.
  for (const excluded of plan.excluded) {
    expect(received(excluded.memberId)).toEqual({ members: [], routes: [], excluded: [excluded] })
  }
})

test('a leader that can read a minority only decides nothing', () => {
  const model = new GroupModel(6)
  const members = Array.from({ length: 3 }, () => model.join({ settings }))
  const all = members.map((member, index) => joined(member, index === 0 ? options.token : 'other'))
  const decide = () => new Leader(options).decide(all, 1, 0)
  expect(decide).toThrow('2 of 3 members cannot be read, e.g. signed with another SERVER_TOKEN')
})

test('partitions without any copy are assigned when no member has joined for three seconds', () => {
  const model = new GroupModel(4)
  const leader = new Leader(options)
  const primariesAt = (nowMs: number) => {
    const { plan, settlesInMs } = leader.decide(
      model.members.map((member) => joined(member, options.token)),
      1,
      nowMs,
    )
    return [plan.routes.filter(({ primary }) => primary >= 0).length, settlesInMs]
  }
  model.join({ settings })
  expect(primariesAt(1_000)).toEqual([0, 3_000])
  // Said before.
  expect(primariesAt(2_000)).toEqual([0, undefined])
  model.join({ settings })
  expect(primariesAt(3_000)).toEqual([0, 3_000])
  expect(primariesAt(6_000)).toEqual([4, undefined])
})

test('the time for which the coordinator has waited for the first members counts, and none after that', () => {
  const model = new GroupModel(4)
  const leader = new Leader(options)
  const settlesInMs = (nowMs: number, waitedMs: number) => {
    const all = model.members.map((member) => joined(member, options.token))
    return leader.decide(all, 1, nowMs, waitedMs).settlesInMs
  }
  model.join({ settings })
  expect(settlesInMs(10_000, 2_000)).toBe(1_000)
  expect(settlesInMs(11_000, 5)).toBeUndefined()
  model.join({ settings })
  expect(settlesInMs(12_000, 5_000)).toBe(3_000)
  expect(
    new Leader(options).decide([joined(model.members[0]!, options.token)], 1, 10_000, 3_000).settlesInMs,
  ).toBeUndefined()
})

test('a member that starts again and again does not keep partitions from being assigned', () => {
  const model = new GroupModel(4)
  const leader = new Leader(options)
  model.join({ settings })
  const assignedAt: number[] = []
  for (let nowMs = 0; nowMs <= 16_000; nowMs += 2_000) {
    const restarting = model.join({ settings })
    const all = model.members.map((member) => joined(member, options.token))
    const { plan } = leader.decide(all, 1, nowMs)
    if (plan.routes.every(({ primary }) => primary >= 0)) assignedAt.push(nowMs)
    model.remove(restarting)
  }
  expect(assignedAt).toEqual([16_000])
})

test('the majority of settings counts, and at a tie the side of the member that started first', () => {
  const model = new GroupModel(1)
  const first = model.join({ settings: differing, startedAtMs: 5 })
  const second = model.join({ settings, startedAtMs: 6 })
  const unfit = () => compareSettings(model.members).unfit.map(({ member, names }) => [member.id, ...names])
  expect(unfit()).toEqual([[second.id, 'PARTITIONER']])
  model.join({ settings, startedAtMs: 7 })
  expect(unfit()).toEqual([[first.id, 'PARTITIONER']])
})

test('settings that may differ are named, and exclude no member', () => {
  const model = new GroupModel(1)
  model.join({ settings: { ...settings, ...hashSettings({ FORMAT: 'raw' }) } })
  model.join({ settings: { ...settings, ...hashSettings({ KEEP_HEADERS: 'b', FORMAT: 'json' }) } })
  expect(compareSettings(model.members)).toMatchObject({ unfit: [], differing: ['FORMAT', 'KEEP_HEADERS'] })
  // One of a former version, which does not compare a setting yet.
  const more = hashSettings({ STANDBYS: '2' })
  const [first, ...others] = model.members.map((one) => ({ ...one, settings: { ...one.settings, ...more } }))
  const { STANDBYS: _, ...fewer } = first!.settings
  expect(compareSettings([{ ...first!, settings: fewer }, ...others]).differing).not.toContain('STANDBYS')
})

test('a hash of settings shows no value, and a value under another name has another hash', () => {
  const { A, B } = hashSettings({ A: 'value', B: 'value' })
  expect(A).toHaveLength(8)
  expect(A).not.toBe(B)
})

test('what strangers send makes no plan too large, and none that members cannot read', () => {
  const model = new GroupModel(6)
  const fit = Array.from({ length: 8 }, () => model.join({ settings }))
  const members = fit.map((member) => joined(member, undefined))
  const hostile = (payload: string) => Buffer.concat([Buffer.of(0), deflateRawSync(payload)])
  const strangers = [
    // The message about it has all of it.
    { memberId: 'one', metadata: encodeSubscription(['orders'], hostile('x'.repeat(10_000))) },
    {
      memberId: 'two',
      metadata: encodeSubscription(
        ['orders'],
        hostile(`{"id":"a","url":"http://a","x":1,"settings":{"${'y'.repeat(10_000)}":1}}`),
      ),
    },
    // Client ids have up to 32 kB.
    ...['three', 'four', 'five'].map((name) => ({
      memberId: `${randomBytes(15_000).toString('hex')}-${name}`,
      metadata: Buffer.of(1),
    })),
  ]
  const leader = new Leader({ ...options, token: undefined })
  const { plan, assignments } = leader.decide([...members, ...strangers], 1, 0)
  expect(plan.members).toHaveLength(8)
  for (const { memberId } of fit) {
    const { value } = decodePlan({ group, generation: 1 }, undefined, assignmentData(assignments.get(memberId)!))
    expect(value?.members).toEqual(plan.members)
    expect(value?.excluded).toHaveLength(strangers.length)
  }
  // Who is excluded finds itself in its plan, and no other member.
  for (const { memberId } of strangers) {
    const { value } = decodePlan({ group, generation: 1 }, undefined, assignmentData(assignments.get(memberId)!))
    expect(value?.members).toEqual([])
    expect(excludedReason(value!, memberId)).toBeDefined()
  }
})

test('however many strangers there are, members can read a plan, and see who should fit', () => {
  const strangers = Array.from({ length: 2_000 }, (_, index) => ({
    memberId: `stranger-${index}`,
    url: '',
    reason: 'unsigned',
  }))
  const known = { memberId: 'known', url: 'http://a:1', reason: 'PARTITIONER differs' }
  const context = { group, generation: 1 }
  const plan = { members: [], routes: [], excluded: [...strangers, known] }
  const { value } = decodePlan(context, options.token, encodePlan(context, options.token, plan))
  expect(value?.excluded[0]).toEqual(known)
})
