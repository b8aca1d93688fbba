import { expect, test } from 'bun:test'
import { type AssignorOptions, assignPartitions } from '../../lib/group/assignor.ts'
import type { GroupMember, GroupPlan } from '../../lib/group/member.ts'
import { GroupModel, type ModelMember, newHolding } from '../support/group/group-model.ts'
import { Random } from '../support/random.ts'

const roundsMax = 6

function planOf(model: GroupModel, options: Partial<AssignorOptions> = {}): GroupPlan {
  return assignPartitions(model.members, { standbys: 1, isSettled: true, ...options })
}

/** Plans until nothing changes. @returns the number of plans that changed something, and primaries that moved */
function settle(model: GroupModel, options: Partial<AssignorOptions> = {}): { rounds: number; moves: number } {
  let moves = 0
  for (let rounds = 0; rounds <= roundsMax; rounds++) {
    const before = primaries(model)
    const isChanged = model.carryOut(planOf(model, options))
    moves += primaries(model).filter((member, partition) => member !== before[partition] && before[partition]).length
    if (!isChanged) return { rounds, moves }
  }
  throw new Error(`wait for a plan that changes nothing: not within ${roundsMax} plans`)
}

function primaries(model: GroupModel): (ModelMember | undefined)[] {
  return Array.from({ length: model.partitions }, (_, partition) => model.primaryOf(partition))
}

function spread(model: GroupModel): number {
  const counts = model.members.map((member) => model.countOf(member))
  return Math.max(...counts) - Math.min(...counts)
}

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

function seeds(count: number, check: (random: Random, seed: number) => void): void {
  const first = Number(process.env['LATCHKEY_SEED'] ?? 1)
  for (let seed = first; seed < first + count; seed++) {
    try {
      check(new Random(seed), seed)
    } catch (cause) {
      throw new Error(`with LATCHKEY_SEED=${seed}: ${String(cause)}`, { cause })
    }
  }
}

const seedCount = Number(process.env['LATCHKEY_SEEDS'] ?? 500)

test('a plan is the same, in whatever order the members come', () => {
  seeds(seedCount, (random) => {
    const members = anyMembers(random)
    const options = { standbys: random.below(4), isSettled: random.next() < 0.5 }
    const shuffled = members.toSorted(() => random.next() - 0.5)
    expect(assignPartitions(shuffled, options)).toEqual(assignPartitions(members, options))
  })
})

test('every member of a route exists, knows the partition, and is there once', () => {
  seeds(seedCount, (random) => {
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
  seeds(seedCount, (random) => {
    const members = anyMembers(random).map((member) => ({ ...member, roomBytes: Number.POSITIVE_INFINITY }))
    const plan = assignPartitions(members, { standbys: 1, isSettled: true })
    const eligible = members.filter(({ isLeaving, isUnreachable }) => !isLeaving && !isUnreachable)
    for (const [partition, { primary }] of plan.routes.entries()) {
      if (eligible.some(({ partitionCount }) => partitionCount > partition)) expect(primary).toBeGreaterThanOrEqual(0)
    }
  })
})

test('the room of a member is exceeded only by primaries that stay where they are', () => {
  seeds(seedCount, (random) => {
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
  seeds(seedCount, (random) => {
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

test('members that come and go converge within six plans: balanced, with all copies, moving no more than they must', () => {
  seeds(seedCount, (random) => {
    const model = new GroupModel(1 + random.below(24))
    const standbys = random.below(4)
    for (let members = 1 + random.below(5); members > 0; members--) model.join()
    settle(model, { standbys })
    for (let step = 0; step < 4; step++) {
      const isJoin = model.members.length < 2 || random.next() < 0.5
      if (isJoin) model.join()
      else if (random.next() < 0.5) model.remove(random.pick(model.members))
      else random.pick(model.members).isLeaving = true
      const { moves } = settle(model, { standbys })
      if (isJoin) expect(moves).toBeLessThanOrEqual(Math.ceil(model.partitions / model.members.length))
      const leaving = model.members.filter((member) => member.isLeaving)
      expect(leaving.every((member) => model.countOf(member) === 0) || model.members.length === 1).toBe(true)
      for (const member of leaving) if (model.members.length > 1) model.remove(member)
      for (const member of model.members) member.isLeaving = false
      settle(model, { standbys })
      expect(spread(model)).toBeLessThanOrEqual(1)
      for (let partition = 0; partition < model.partitions; partition++) {
        const copies = Math.min(standbys, model.members.length - 1) + 1
        expect(model.readyCopies(partition)).toHaveLength(copies)
        expect(
          model.members.filter(({ held }) => held.some((one) => one.partition === partition && one.isPrimary)),
        ).toHaveLength(1)
      }
      expect(settle(model, { standbys })).toEqual({ rounds: 0, moves: 0 })
    }
  })
})

test('standbys are in another rack than the primary where there is another rack', () => {
  seeds(seedCount, (random) => {
    const model = new GroupModel(1 + random.below(24))
    for (let members = 2 + random.below(5); members > 0; members--) model.join({ rack: random.pick(['a', 'b', 'c']) })
    settle(model)
    const racks = new Set(model.members.map(({ rack }) => rack))
    for (let partition = 0; partition < model.partitions; partition++) {
      const held = model.readyCopies(partition)
      expect(new Set(held.map(({ rack }) => rack)).size).toBe(Math.min(2, racks.size))
    }
  })
})
