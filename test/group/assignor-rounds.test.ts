/** Properties of plan after plan, as members carry them out. */
import { expect, test } from 'bun:test'
import type { GroupPlan } from '../../lib/group-protocol/member.ts'
import { type AssignorOptions, assignPartitions } from '../../lib/group/assignor.ts'
import { GroupModel, type ModelMember } from '../support/group/group-model.ts'
import { forSeeds } from '../support/group/seeds.ts'

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

test('members that come and go converge within six plans: balanced, with all copies, moving no more than they must', () => {
  forSeeds((random) => {
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
  forSeeds((random) => {
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

test('while copies fill, no partition loses a ready copy before as many are ready as there shall be', () => {
  forSeeds((random) => {
    const model = new GroupModel(1 + random.below(12))
    const standbys = random.below(3)
    for (let members = 2 + random.below(3); members > 0; members--) model.join()
    settle(model, { standbys })
    for (let step = 0; step < 6; step++) {
      if (random.next() < 0.5) model.join()
      else random.pick(model.members).isLeaving = random.next() < 0.5
      const copies = (partition: number) => model.readyCopies(partition).length
      const before = Array.from({ length: model.partitions }, (_, partition) => copies(partition))
      const eligible = model.members.filter(({ isLeaving }) => !isLeaving).length || model.members.length
      model.carryOut(planOf(model, { standbys }), random)
      for (const [partition, count] of before.entries()) {
        expect(copies(partition)).toBeGreaterThanOrEqual(Math.min(count, Math.min(standbys, eligible - 1) + 1))
      }
    }
  })
})

test('a member that others do not reach gives its primaries to those that they reach, and gets no copies', () => {
  forSeeds((random) => {
    const model = new GroupModel(1 + random.below(12))
    for (let members = 2 + random.below(3); members > 0; members--) model.join()
    settle(model)
    const unreachable = random.pick(model.members)
    unreachable.isUnreachable = true
    settle(model)
    expect(unreachable.held).toEqual([])
    for (const member of model.members) member.isUnreachable = true
    settle(model)
    expect(primaries(model)).not.toContain(undefined)
  })
})
