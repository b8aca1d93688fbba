/** A member of a group at a real coordinator. It reports a text, and as the leader assigns the texts of all to each. */
import {
  assignmentData,
  encodeAssignment,
  encodeSubscription,
  subscriptionData,
} from '../../../lib/group/consumer-protocol.ts'
import { type GroupAssignment, Membership, type MembershipEvents } from '../../../lib/group/membership.ts'
import { sleep } from '../../../lib/kafka/backoff.ts'
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import { soon, until } from '../until.ts'

const topic = 'orders'
const clock = { nowMs: () => performance.now(), sleep }

export class TestMember {
  readonly assignments: { generation: number; isLeader: boolean; leaderId: string; memberId: string; data: string }[] =
    []
  readonly membership: Membership
  readonly client: KafkaClient
  report: string
  removals = 0
  resignations = 0
  answered = 0
  fault: Error | undefined
  /** Plans that it could not make. */
  faults = 0
  readonly #running: Promise<void>

  /** Joins. @param client closed with the member */
  constructor(client: KafkaClient, group: string, report: string, protocols = ['latchkey-1']) {
    this.client = client
    this.report = report
    const options = { group, protocols, sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, heartbeatMs: 100 }
    this.membership = new Membership(client, options, this.#events(), clock)
    this.#running = this.membership.run()
  }

  #events(): MembershipEvents {
    return {
      report: (protocol) => encodeSubscription([topic], Buffer.from(`${this.report} ${protocol}`)),
      assign: (members) => {
        if (this.fault) {
          this.faults++
          throw this.fault
        }
        const all = members
          .map(({ metadata }) => subscriptionData(metadata).toString())
          .toSorted()
          .join()
        return new Map(members.map(({ memberId }, at) => [memberId, encodeAssignment(topic, [at], Buffer.from(all))]))
      },
      assigned: (assignment: GroupAssignment) => {
        const { generation, isLeader, leaderId, memberId, bytes } = assignment
        this.assignments.push({ generation, isLeader, leaderId, memberId, data: assignmentData(bytes).toString() })
      },
      removed: () => this.removals++,
      resigned: () => this.resignations++,
      answered: () => this.answered++,
    }
  }

  get last(): TestMember['assignments'][number] | undefined {
    return this.assignments.at(-1)
  }

  has(data: string): Promise<void> {
    return until(`${this.report} has ${data}`, () => this.last?.data === data)
  }

  async leave(): Promise<void> {
    await this.membership.leave().catch(() => {})
    this.client.close()
    await soon('the end of a membership', this.#running)
  }
}
