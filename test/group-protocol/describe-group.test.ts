import { describe, expect, test } from 'bun:test'
import { groupNotes, groupText } from '../../lib/group-protocol/describe-group.ts'
import { groupOf } from '../support/group/group-status.ts'

describe('a group for a terminal', () => {
  test('at rest it is a table of who holds what', () => {
    expect(groupText(groupOf())).toBe(`group orders: stable, generation 7 of latchkey-1, this instance makes the plans
http://10.0.0.2:8080 has a lease of 5.8 s

INSTANCE              REACHED  PRIMARY  STANDBY  READS
http://10.0.0.2:8080  itself   0-1      2-3      -
http://10.0.0.3:8080  yes      2-3      0-1      -
`)
  })

  test('before the first plan it has no members', () => {
    const group = groupOf({ members: [], state: 'joining', generation: -1, url: '', leaseMs: 0, isLeader: false })
    expect(groupText(group)).toBe('group orders: joining, no plan yet\nthis instance has no lease\n')
  })

  test('what differs from that follows, the most urgent first', () => {
    const group = groupOf({
      members: [
        { isSelf: true, primaries: [0, 1, 2] },
        { url: 'http://b', isReachable: false, reason: 'connection refused', filling: [2, 1] },
        { url: 'http://c', isReachable: null, isLeaving: true },
      ],
      trouble: 'no broker answers',
      unassigned: [5, 3, 4],
      excluded: [{ memberId: 'x', url: 'http://d', reason: 'PARTITIONER differs' }],
      differing: ['KEEP_HEADERS', 'VALUE_FORMAT'],
      waitsFor: [
        { partition: 2, memberId: 'member-1' },
        { partition: 1, memberId: 'member-1' },
        { partition: 9, memberId: 'gone' },
      ],
    })
    const notes = [
      'no plan comes: no broker answers',
      'no instance is primary of partitions 3-5',
      'http://d gets nothing: PARTITIONER differs',
      'http://b is not reached: connection refused',
      'http://c hands over what it holds, and leaves',
      'http://b reads partitions 1-2, to be primary then',
      'gone reads partition 9, to be primary then',
      'settings that differ between instances: KEEP_HEADERS, VALUE_FORMAT',
    ]
    expect(groupNotes(group)).toEqual(notes)
    expect(groupText(group)).toEndWith(`\n\n${notes.join('\n')}\n`)
    expect(groupText(group)).toMatch(/^http:\/\/c +not known +- +- +-$/m)
  })

  test('what other instances say cannot move the cursor or begin a line', () => {
    const url = 'http://a\u001b[2J\n'
    const text = groupText(
      groupOf({ url, members: [{ url, reason: url }], excluded: [{ memberId: '', url, reason: url }] }),
    )
    expect(text).not.toContain('\u001b')
    expect(text.split('\n')).toHaveLength(9)
    expect(text).toContain('http://a\\u001b[2J\\n gets nothing')
  })

  test('a member whose URL is not known is named by its id', () => {
    const group = groupOf({ excluded: [{ memberId: 'x', url: '', reason: 'not signed' }] })
    expect(groupNotes(group)).toContain('x gets nothing: not signed')
  })

  test('thousands of partitions that alternate stay readable', () => {
    const odd = Array.from({ length: 5_000 }, (_, index) => 2 * index + 1)
    const group = groupOf({ members: [{ primaries: odd, standbys: odd, filling: odd }], unassigned: odd })
    expect(groupText(group).length).toBeLessThan(1_000)
  })
})
