/** Properties of one plan, for any group. */
import { expect, test } from 'bun:test'
import type { GroupMember } from '../../lib/group-protocol/member.ts'
import { assignPartitions } from '../../lib/group/assignor.ts'
import { GroupModel, newHolding } from '../support/group/group-model.ts'
import { forSeeds } from '../support/group/seeds.ts'
import type { Random } from '../support/random.ts'

/** Any group, also one that cannot be: contradictory claims, copies of any state, any room. */
function anyMembers(random: Random): GroupMember[] {
  const partitions = 1 + random.below(24)
  return Array.from({ length: 1 + random.below(7) }, (_, number) => {
    const held = Array.from({ length: partitions }, (_none, partition) => ({
      ...newHolding(partition, random.below(100)),
      position: random.below(200_000),
      term: random.below(4),
      isReady: random.next() < 0.6,
      isPrimary: random.next() < 0.3,
      isPromoting: random.next() < 0.1,
      isComplete: random.next() < 0.5,
      isHalfRead: random.next() < 0.5,
    })).filter(() => random.next() < 0.5)
    return {
      memberId: `m${number}`,
      id: `i${random.below(1_000)}-${number}`,
      url: `http://h${number}`,
      rack: random.pick(['', 'a', 'b']),
      partitionCount: random.next() < 0.9 ? partitions : random.below(partitions + 1),
      startedAtMs: number,
      settings: {},
      isLeaving: random.next() < 0.2,
      isUnreachable: random.next() < 0.2,
      roomBytes: random.next() < 0.5 ? Number.POSITIVE_INFINITY : random.below(800),
      held,
    }
  })
}

test('a plan is the same for every order of the members', () => {
  forSeeds((random) => {
    const members = anyMembers(random)
    const options = { standbys: random.below(4), isSettled: random.next() < 0.5 }
    const shuffled = members.toSorted(() => random.next() - 0.5)
    expect(assignPartitions(shuffled, options)).toEqual(assignPartitions(members, options))
  })
})

test('every member of a route exists, knows the partition, and is there once', () => {
  forSeeds((random) => {
    const members = anyMembers(random)
    const plan = assignPartitions(members, { standbys: random.below(4), isSettled: true })
    for (const [partition, { primary, copies, target }] of plan.routes.entries()) {
      const holders = primary < 0 ? [...copies] : [primary, ...copies]
      expect(new Set(holders).size).toBe(holders.length)
      expect(target < 0 || copies.includes(target)).toBe(true)
      expect(primary >= 0 || copies.length === 0).toBe(true)
      for (const holder of holders) {
        const { memberId } = plan.members[holder]!
        expect(members.find((one) => one.memberId === memberId)!.partitionCount).toBeGreaterThan(partition)
      }
    }
  })
})

test('a partition has a primary if it fits anywhere', () => {
  forSeeds((random) => {
    const members = anyMembers(random).map((member) => ({ ...member, roomBytes: Number.POSITIVE_INFINITY }))
    const plan = assignPartitions(members, { standbys: 1, isSettled: true })
    const eligible = members.filter(({ isLeaving, isUnreachable }) => !isLeaving && !isUnreachable)
    for (const [partition, { primary }] of plan.routes.entries()) {
      if (eligible.some(({ partitionCount }) => partitionCount > partition)) expect(primary).toBeGreaterThanOrEqual(0)
    }
  })
})

test('the room of a member is exceeded only by primaries that stay where they are', () => {
  forSeeds((random) => {
    const members = anyMembers(random)
    const plan = assignPartitions(members, { standbys: random.below(4), isSettled: true })
    for (const [index, { memberId }] of plan.members.entries()) {
      const member = members.find((one) => one.memberId === memberId)!
      const planned = [...plan.routes.entries()].filter(([, route]) => {
        return route.primary === index || route.copies.includes(index)
      })
      const bytes = planned.map(([partition]) => {
        const own = member.held.find((one) => one.partition === partition)
        if (own?.isReady) return own.bytes
        return Math.max(
          ...members.flatMap(({ held, partitionCount }) => {
            return held
              .filter((one) => one.partition === partition && partition < partitionCount)
              .map((one) => one.bytes)
          }),
          0,
        )
      })
      const sum = bytes.reduce((all, one) => all + one, 0)
      const isStaying = planned.every(([partition, { primary }]) => {
        const own = member.held.find((one) => one.partition === partition)
        return primary === index && (own?.isPrimary === true || own?.isPromoting === true)
      })
      expect(sum <= member.roomBytes || isStaying).toBe(true)
    }
  })
})

test('no promotion is interrupted, and no partition moves to an unready member while a ready one is there', () => {
  forSeeds((random) => {
    const members = anyMembers(random).map((member) => ({ ...member, roomBytes: Number.POSITIVE_INFINITY }))
    const plan = assignPartitions(members, { standbys: 1, isSettled: true })
    const ends = (partition: number) => Math.max(...copiesIn(members, partition).map(({ own }) => own.position))
    for (const [partition, { primary }] of plan.routes.entries()) {
      const holders = copiesIn(members, partition)
      const promoting = holders.filter(({ own }) => own.isPromoting)
      if (promoting.length > 0) {
        expect(promoting.map(({ member }) => member.memberId)).toContain(plan.members[primary]!.memberId)
        continue
      }
      const isReady = ({ own }: { own: { isReady: boolean; position: number } }) => {
        return own.isReady && ends(partition) - own.position <= 100_000
      }
      const term = Math.max(...holders.map(({ own }) => own.term))
      const chosen = holders.find(({ member }) => member.memberId === plan.members[primary]?.memberId)
      const isCurrent = chosen?.own.isPrimary === true && chosen.own.term === term
      const ready = holders.filter((one) => isReady(one) && isEligible(members, one.member))
      if (ready.length > 0) expect(chosen !== undefined && (isReady(chosen) || isCurrent)).toBe(true)
    }
  })
})

function copiesIn(members: readonly GroupMember[], partition: number) {
  return members.flatMap((member) => {
    const own = member.held.find((one) => one.partition === partition && partition < member.partitionCount)
    return own === undefined ? [] : [{ member, own }]
  })
}

function isEligible(members: readonly GroupMember[], { isLeaving, isUnreachable }: GroupMember): boolean {
  if (members.some((one) => !one.isLeaving && !one.isUnreachable)) return !isLeaving && !isUnreachable
  return members.every((one) => one.isLeaving) || !isLeaving
}

test('what no member holds goes where there is room for the size that members have found, in place of standbys, or to none', () => {
  const model = new GroupModel(3)
  const primary = { isReady: true, isPrimary: true }
  const holding = (partition: number, bytes: number, flags = {}) => ({ ...newHolding(partition, bytes), ...flags })
  const needing = (bytes: number) => [{ partition: 2, bytes }]
  const a = model.join({ roomBytes: 100, held: [holding(0, 60, primary)], unfit: needing(50) })
  const b = model.join({ roomBytes: 100, held: [holding(1, 60, primary)] })
  const plan = () => {
    const { routes, members } = assignPartitions(model.members, { standbys: 1, isSettled: true })
    return routes.map((route) => [route.primary, ...route.copies].map((member) => members[member]?.id ?? 'none'))
  }
  expect(plan()).toEqual([[a.id], [b.id], ['none']])
  const c = model.join({ roomBytes: 100 })
  expect(plan()[2]).toEqual([c.id])
  model.remove(c)
  // They know better than the sizes of copies what they have room for: what they hold, and no more.
  a.held = [holding(0, 40, primary), holding(1, 30, { isReady: true })]
  b.held = [holding(1, 30, primary), holding(0, 40, { isReady: true })]
  a.unfit = b.unfit = needing(41)
  expect(plan()).toEqual([[a.id, b.id], [b.id, a.id], ['none']])
  a.unfit = b.unfit = needing(35)
  expect(plan()).toEqual([[a.id], [b.id, a.id], [b.id]])
})

test('a plan says of a partition that its primary reads no further, and of a copy not', () => {
  const primary = { ...newHolding(0), isReady: true, isPrimary: true }
  const stalledOf = (isStalled: boolean, isCopyStalled: boolean) => {
    const copy = { ...newHolding(0), isReady: true, isStalled: isCopyStalled }
    const members = [{ ...primary, isStalled }, copy].map((holding, number): GroupMember => ({
      memberId: `m${number}`,
      id: `i${number}`,
      url: `http://h${number}`,
      rack: '',
      partitionCount: 1,
      startedAtMs: number,
      settings: {},
      isLeaving: false,
      isUnreachable: false,
      roomBytes: Number.POSITIVE_INFINITY,
      held: [holding],
    }))
    return assignPartitions(members, { standbys: 1, isSettled: true }).routes[0]!.isStalled
  }
  expect([stalledOf(true, false), stalledOf(false, true)]).toEqual([true, false])
})

test('what a member holds that does not know of a growth has keys that belong elsewhere', () => {
  const report = { url: '', rack: '', settings: {}, isLeaving: false, isUnreachable: false, roomBytes: Infinity }
  const member = (name: string, partitionCount: number, ...held: number[]): GroupMember => ({
    ...report,
    memberId: name,
    id: name,
    startedAtMs: 0,
    partitionCount,
    held: held.map((partition) => ({ ...newHolding(partition, 10), isReady: true, isPrimary: true })),
  })
  const strange = (...members: GroupMember[]) =>
    assignPartitions(members, { standbys: 0, isSettled: true }).routes.map(({ hasStrangers }) => hasStrangers)
  expect(strange(member('a', 2, 0), member('b', 2, 1))).toEqual([false, false])
  expect(strange(member('a', 3, 0), member('b', 2, 1))).toEqual([false, true, false])
})
