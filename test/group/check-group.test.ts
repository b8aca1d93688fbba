import { describe, expect, test } from 'bun:test'
import type { MemberReport } from '../../lib/group-protocol/member.ts'
import { describeMembers } from '../../lib/group/check-group.ts'
import { describeUrl } from '../../lib/group/check.ts'
import { encodeSubscription } from '../../lib/group/consumer-protocol.ts'
import { encodeMember } from '../../lib/group/member-data.ts'
import { hashSettings } from '../../lib/group/settings.ts'
import type { DescribedGroup, DescribedMember } from '../../lib/kafka/described-group.ts'

const group = 'orders'
const common = {
  SOURCE_TOPIC: 'orders',
  CHANGELOG_TOPIC: 'orders-changelog',
  PARTITIONER: 'murmur2',
  VALUE_FORMAT: 'raw',
}

function memberOf(
  host: number,
  token?: string,
  settings: Record<string, string> = {},
  url = `http://10.0.0.${host}:8080`,
): DescribedMember {
  const report: MemberReport = {
    id: `host-${host}`,
    url,
    rack: '',
    partitionCount: 4,
    startedAtMs: host,
    settings: hashSettings({ ...common, ...settings }),
    isLeaving: false,
    isUnreachable: false,
    roomBytes: Number.POSITIVE_INFINITY,
    held: [],
  }
  return {
    memberId: `member-${host}`,
    clientId: 'latchkey-orders',
    clientHost: `/10.0.0.${host}`,
    metadata: encodeSubscription(['orders'], encodeMember(group, token, report)),
    assignment: Buffer.alloc(3_000),
  }
}

function groupWith(members: DescribedMember[], changes: Partial<DescribedGroup> = {}): DescribedGroup {
  return { state: 'Stable', protocolType: 'consumer', protocol: 'latchkey-1', members, operations: 0, ...changes }
}

function described(found: DescribedGroup, token?: string, settings: Record<string, string> = {}): string[] {
  const own = { group, token, protocols: ['latchkey-1'], settings: hashSettings({ ...common, ...settings }) }
  return describeMembers(found, own)
}

test('a group without members would have this instance as the first', () => {
  const found = groupWith([], { state: 'Dead', protocolType: '', protocol: '' })
  expect(described(found)).toEqual(['group orders: it has no members; this instance would be the first'])
})

test('members are named by their URLs, with what the coordinator keeps of them', () => {
  expect(described(groupWith([memberOf(2), memberOf(3)]))).toEqual([
    'group orders: Stable with 2 members, protocol latchkey-1',
    'group members: http://10.0.0.2:8080, http://10.0.0.3:8080',
    expect.stringMatching(/^group data: \d+ KiB of 512 KiB for whole plans$/),
  ])
})

test('what members have sent cannot move the cursor or begin a line', () => {
  const members = [
    memberOf(2, undefined, {}, 'http://10.0.0.2/\u001b[2J\n'),
    { ...memberOf(3, 'a'), clientId: 'b\u001b[2J\n' },
  ]
  const lines = described(groupWith(members))
  expect(lines.filter((line) => line.includes('\u001b') || line.includes('\n'))).toEqual([])
  // A URL with controls is none.
  expect(lines[1]).toBe(String.raw`group members: member latchkey-orders at 10.0.0.2, member b\u001b[2J\n at 10.0.0.3`)
})

test('while the group rebalances, its members are not known', () => {
  const found = groupWith([{ ...memberOf(2), metadata: Buffer.alloc(0) }], {
    state: 'PreparingRebalance',
    protocol: '',
  })
  expect(described(found)).toEqual([
    'group orders: PreparingRebalance with 1 member',
    'group members: not known while the group rebalances; check again',
  ])
})

describe('the URL of this instance', () => {
  test.each(['http://10.0.0.7:8080', 'https://[2001:db8::7]:8080', 'http://orders.example:8080/kv'])(
    '%s fits',
    (url) => {
      expect(describeUrl(url, 8080)).toEqual([`other instances would reach this one at ${url}`])
    },
  )

  test.each([
    ['http://127.0.0.1:8080', 'only instances of this machine reach it'],
    ['http://localhost:8080', 'only instances of this machine reach it'],
    ['http://[::1]:8080', 'only instances of this machine reach it'],
  ])('%s is warned of', (url, reason) => {
    expect(describeUrl(url, 8080)[1]).toStartWith(`warning: ADVERTISED_URL ${url}: ${reason}`)
  })

  test('a port that is selected at the start is not shown as 0', () => {
    expect(describeUrl('http://10.0.0.7:0', 0)).toEqual([
      'other instances would reach this one at http://10.0.0.7:<port>',
    ])
  })
})

describe('what does not fit', () => {
  test.each([
    [{ protocol: 'range' }, 'have consumer protocol range, and this instance has latchkey-1'],
    [{ protocolType: 'connect', protocol: 'sessioned' }, 'have connect protocol sessioned'],
  ])('members of another kind are an error: %j', (changes, text) => {
    expect(() => described(groupWith([memberOf(2)], changes))).toThrow(text)
  })

  test.each([
    ['a', undefined, 'not signed: it has no SERVER_TOKEN'],
    ['a', 'b', 'signed with another SERVER_TOKEN'],
    [undefined, 'b', 'signed with a SERVER_TOKEN, and this instance has none'],
  ])('with token %p, a member with token %p is named', (own, other, reason) => {
    const lines = described(groupWith([memberOf(2, other)]), own)
    expect(lines[1]).toBe('group members: member latchkey-orders at 10.0.0.2')
    expect(lines.at(-1)).toStartWith(`warning: member latchkey-orders at 10.0.0.2: its data are ${reason}. `)
  })

  test('data of another program are named, too', () => {
    const lines = described(groupWith([{ ...memberOf(2), metadata: Buffer.from('other') }]))
    expect(lines.at(-1)).toStartWith('warning: member latchkey-orders at 10.0.0.2: its data are ')
  })

  test('a setting that must be equal: the members count, since they are there', () => {
    const lines = described(groupWith([memberOf(2), memberOf(3, undefined, { PARTITIONER: 'crc32' })]))
    expect(lines.at(-1)).toBe(
      'warning: PARTITIONER of http://10.0.0.3:8080 differs from the others: it would get no partitions',
    )
    const alone = described(groupWith([memberOf(2)]), undefined, { PARTITIONER: 'crc32' })
    expect(alone.at(-1)).toBe('warning: PARTITIONER differs from the members: this instance would get no partitions')
  })

  test('a setting that may differ is named', () => {
    const lines = described(groupWith([memberOf(2)]), undefined, { VALUE_FORMAT: 'json' })
    expect(lines.at(-1)).toBe('warning: settings that differ between instances: VALUE_FORMAT')
  })
})
