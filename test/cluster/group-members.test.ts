/** Members of a group on three brokers keep their ids and their generation when its coordinator is killed. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { TestMember } from '../support/group/test-member.ts'
import { healCluster, healTimeoutMs, type KafkaCluster, sharedCluster, uniqueName } from '../support/kafka/index.ts'
import { toAddresses } from '../support/kafka/real-client.ts'
import { until } from '../support/until.ts'

const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1)
const testTimeoutMs = 120_000 + rounds * 30_000

let cluster: KafkaCluster

beforeEach(async () => {
  cluster = await sharedCluster()
}, testTimeoutMs)

afterEach(healCluster, healTimeoutMs)

function member(group: string, report: string): TestMember {
  const brokers = toAddresses(cluster.bootstrap)
  const timeouts = { connectionTimeoutMs: 10_000, requestTimeoutMs: 30_000 }
  return new TestMember(new KafkaClient({ subject: 'test', brokers, clientId: 'test', ...timeouts }), group, report)
}

test(
  'members keep their ids and their generation while the coordinator of their group is killed, and get plans after it',
  async () => {
    const group = uniqueName('group')
    const members = [member(group, 'a'), member(group, 'b')]
    const has = () => Promise.all(members.map((one) => one.has('a latchkey-1,b latchkey-1')))
    try {
      await has()
      const ids = members.map(({ last }) => last!.memberId)
      for (let round = 0; round < rounds; round++) {
        const identities = members.map(({ membership }) => membership.identity)
        await (await cluster.coordinatorOf('group', group)).kill()
        const killedAt = performance.now()
        const answered = members.map((one) => one.answered)
        await until('heartbeats are answered by another broker', () => {
          return members.every((one, index) => one.answered > answered[index]! + 3)
        })
        if (rounds > 1) console.log(`heartbeats are answered after ${Math.round(performance.now() - killedAt)} ms`)
        expect(members.map(({ membership }) => membership.identity)).toEqual(identities)
        const plans = members.map(({ assignments }) => assignments.length)
        // The coordinator plans nothing for a follower that has nothing new to say.
        members.find(({ last }) => last!.isLeader)!.membership.rejoin()
        await until('all get another plan', () => {
          return members.every(({ assignments }, index) => assignments.length > plans[index]!)
        })
        expect(members.map(({ last }) => last!.memberId)).toEqual(ids)
        await cluster.heal()
      }
      expect(members.map(({ removals, resignations }) => [removals, resignations])).toEqual([
        [0, 0],
        [0, 0],
      ])
    } finally {
      for (const one of members) await one.leave()
    }
  },
  testTimeoutMs,
)
