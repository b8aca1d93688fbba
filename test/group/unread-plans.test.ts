import { afterEach, expect, test } from 'bun:test'
import type { MemberReport } from '../../lib/group-protocol/member.ts'
import { encodeSubscription } from '../../lib/group/consumer-protocol.ts'
import { encodeMember } from '../../lib/group/member-data.ts'
import { graceMs, type UnreadPlan, UnreadPlans } from '../../lib/group/unread-plans.ts'
import type { DescribedMember } from '../../lib/kafka/described-group.ts'
import { configureLogging } from '../../lib/log/index.ts'
import { linesAt } from '../support/log/lines.ts'

afterEach(() => configureLogging({ level: 'error', structured: false }))

const group = 'orders'
const found = 'the plan of group orders is signed with another SERVER_TOKEN'

const report: MemberReport = {
  id: 'one',
  url: 'http://10.0.0.2:8080',
  rack: '',
  partitionCount: 1,
  startedAtMs: 1,
  settings: {},
  isLeaving: false,
  isUnreachable: false,
  roomBytes: Number.POSITIVE_INFINITY,
  held: [],
}

/** @param token with which the member signs; null for data of another program */
function described(memberId: string, token: string | null): DescribedMember {
  const data = token === null ? Buffer.from('something') : encodeMember(group, token, report)
  const metadata = encodeSubscription([group], data)
  return { memberId, clientId: 'c', clientHost: '/10.0.0.9', metadata, assignment: Buffer.alloc(0) }
}

/** This instance is `own`, with the token `a`; `stranger` leads. */
function unreadWith(members: readonly DescribedMember[]) {
  const expelled: string[] = []
  const said: UnreadPlan[] = []
  const lines = linesAt('warning')
  const unread = new UnreadPlans({
    group,
    token: () => 'a',
    describe: async () => ({ state: '', protocolType: '', protocol: '', members: [...members], operations: 0 }),
    expel: async (memberId) => void expelled.push(memberId),
    said: (one) => void said.push(one),
  })
  unread.came({ memberId: 'own', leaderId: 'stranger', found }, 0)
  return { unread, expelled, said, lines }
}

const own = described('own', 'a')
const other = described('other', 'a')

test('a leader that most of the members cannot read is removed, and named', async () => {
  const { unread, expelled, said, lines } = unreadWith([own, other, described('stranger', null)])
  await unread.look(graceMs)
  expect(expelled).toEqual(['stranger'])
  expect(said.at(-1)).toEqual({
    reason: `${found}; the last one stays. 2 of 3 members have the token of this instance, and member stranger at 10.0.0.9 makes the plans: give it the same SERVER_TOKEN, or take the right to READ group orders from it`,
    isOdd: false,
  })
  expect(lines.map(({ message }) => message)).toEqual([
    `Removing member stranger at 10.0.0.9 from group orders: it makes the plans, and ${found}`,
  ])
  await unread.look(graceMs + 1)
  expect(expelled).toHaveLength(1)
})

test('no one is removed while another token may be on its way to all instances', async () => {
  const { unread, expelled, said } = unreadWith([own, other, described('stranger', 'b')])
  await unread.look(graceMs - 1)
  unread.ended()
  await unread.look(graceMs)
  expect([expelled, said]).toEqual([[], [{ reason: `${found}; the last one stays`, isOdd: false }]])
})

test('an instance that most of the others cannot read removes no one, and says that it is the one at fault', async () => {
  const { unread, expelled, said } = unreadWith([own, described('other', 'b'), described('stranger', 'b')])
  await unread.look(graceMs)
  expect(expelled).toEqual([])
  expect(said.at(-1)).toEqual({
    reason: `${found}; 1 of 3 members have the token of this instance: set SERVER_TOKEN as the others have it`,
    isOdd: true,
  })
})

test('of two, none is removed: each may be the one at fault', async () => {
  const { unread, expelled, said } = unreadWith([own, described('stranger', 'b')])
  await unread.look(graceMs)
  expect([expelled, said.at(-1)!.isOdd]).toEqual([[], false])
  expect(said.at(-1)!.reason).toContain('give it the same SERVER_TOKEN')
})

test('a leader that can be read is not removed: the group is too large for all its members', async () => {
  const { unread, expelled } = unreadWith([own, other, described('stranger', 'a')])
  await unread.look(graceMs)
  expect(expelled).toEqual([])
})

test('while the group rebalances, nothing is known, and the next plan is looked into', async () => {
  const members: DescribedMember[] = [{ ...own, metadata: Buffer.alloc(0) }]
  const { unread, expelled } = unreadWith(members)
  await unread.look(graceMs)
  expect(expelled).toEqual([])
  members.splice(0, 1, own, other, described('stranger', null))
  unread.came({ memberId: 'own', leaderId: 'stranger', found }, graceMs + 1)
  await unread.look(graceMs + 1)
  expect(expelled).toEqual(['stranger'])
})
