import { afterEach, describe, expect, test } from 'bun:test'
import { awaitedOf, HandoverLog } from '../../lib/elastic/handover-log.ts'
import type { GroupView } from '../../lib/group-protocol/group-view.ts'
import type { Route } from '../../lib/group-protocol/member.ts'
import { configureLogging } from '../../lib/log/index.ts'
import { planned, planOf } from '../support/elastic/plans.ts'
import { linesAt } from '../support/log/lines.ts'

afterEach(() => configureLogging({ level: 'error', structured: false }))

/** As `member-0` gets it. @param isLeaving whether the plan knows that it leaves */
function viewOf(routes: readonly Partial<Route>[], isLeaving = true, isOtherLeaving = false): GroupView {
  const { view } = planned(planOf(routes))
  const leaves = [isLeaving, isOtherLeaving]
  const members = view.plan.members.map((one, n) => ({ ...one, ...(leaves[n] && { isLeaving: true as const }) }))
  return { ...view, plan: { ...view.plan, members } }
}

describe('what a handover waits for', () => {
  test('a plan that does not know yet that the instance leaves', () => {
    const text = 'the next plan says who takes partitions 0-1'
    expect(awaitedOf(viewOf([{ primary: 0 }, { primary: 0 }], false), [1, 0])).toBe(text)
    expect(awaitedOf(undefined, [0, 1])).toBe(text)
  })

  test('instances that take what they have, that read it, and partitions that none can take', () => {
    const view = viewOf([{ primary: 1 }, { primary: 0, target: 1 }, { primary: 0, target: 1 }, { primary: 0 }])
    expect(awaitedOf(view, [0, 1, 2, 3, 4])).toBe(
      'http://10.0.0.1:80 takes partition 0; http://10.0.0.1:80 reads, to take them then, partitions 1-2; no instance can take partitions 3-4',
    )
  })
})

function logged(look: () => void): string[] {
  const lines = linesAt('info')
  look()
  return lines.map(({ level, message }) => `${level}: ${message.replace(/\d\.\d s/, 'S')}`)
}

test('each change is one line, and so is the end', () => {
  const lines = logged(() => {
    const log = new HandoverLog(viewOf([{ primary: 0 }], false), [0], 20)
    log.look(viewOf([{ primary: 0 }], false), [0])
    for (let looks = 0; looks < 3; looks++) log.look(viewOf([{ primary: 0, target: 1 }]), [0])
    log.look(viewOf([{ primary: 1 }]), [0])
    log.look(viewOf([{ primary: 1 }]), [])
    log.ended(viewOf([{ primary: 1 }]), [])
  })
  expect(lines).toEqual([
    'info: Handing over partition 0, for 20 s at most',
    'info: Handing over: the next plan says who takes partition 0',
    'info: Handing over: http://10.0.0.1:80 reads, to take them then, partition 0',
    'info: Handing over: http://10.0.0.1:80 takes partition 0',
    'info: Handed over partition 0 in S',
  ])
})

test('one that is not done in time says what is left', () => {
  const lines = logged(() => {
    const log = new HandoverLog(viewOf([{ primary: 0 }]), [0], 5)
    log.ended(viewOf([{ primary: 0, target: 1 }]), [0])
  })
  expect(lines.at(-1)).toBe(
    'warning: Handing over: not done within S, http://10.0.0.1:80 reads, to take them then, partition 0. Raise HANDOVER_SECONDS if that lasts longer',
  )
})

test.each([
  ['the only one', undefined],
  ['one of several that leave', viewOf([{ primary: 0 }], true, true)],
])('an instance that is %s hands over nothing', (_, view) => {
  const lines = logged(() => {
    const log = new HandoverLog(view, [0], 20)
    log.look(view, [0])
    log.ended(view, [0])
  })
  expect(lines).toEqual(['info: Leaving the group: no other instance of the group is there to take partition 0'])
})

test('a standby has nothing to hand over', () => {
  expect(logged(() => new HandoverLog(viewOf([{ primary: 1 }]), [], 20).ended(undefined, []))).toEqual([])
})

test('an instance that has failed does not wait', () => {
  const lines = logged(() => {
    const log = new HandoverLog(viewOf([{ primary: 0 }]), [0], 0)
    log.look(viewOf([{ primary: 0 }]), [0])
    log.ended(viewOf([{ primary: 0 }]), [0])
  })
  expect(lines).toEqual(['info: Leaving the group: without a handover of partition 0'])
})
