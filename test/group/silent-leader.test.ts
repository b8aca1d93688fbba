import { expect, test } from 'bun:test'
import { encodeSubscription } from '../../lib/group/consumer-protocol.ts'
import { heartbeat, joinGroup, type JoinResult } from '../../lib/kafka/group-requests.ts'
import { TestMember } from '../support/group/test-member.ts'
import { uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'
import { until } from '../support/until.ts'

const protocols = [{ name: 'latchkey-1', metadata: encodeSubscription(['orders'], Buffer.from('nothing')) }]

/** A stranger that leads, lives, and has the coordinator wait for it: without an end, as far as members can see. */
class SilentLeader {
  readonly joined: JoinResult
  readonly #ending = new AbortController()
  readonly #client

  private constructor(client: Awaited<ReturnType<typeof realClient>>, joined: JoinResult) {
    this.#client = client
    this.joined = joined
  }

  static async join(group: string): Promise<SilentLeader> {
    const client = await realClient()
    const request = { group, memberId: '', protocols, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 600_000 }
    const leader = new SilentLeader(client, await client.retryForever(() => joinGroup(client, request, () => {})))
    void leader.#beat(group)
    return leader
  }

  /** Joins each generation, and sends no plan in any. */
  async #beat(group: string): Promise<void> {
    let { generation } = this.joined
    const { memberId } = this.joined
    for (; !this.#ending.signal.aborted; await Bun.sleep(200)) {
      const again = { group, memberId, protocols, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 600_000 }
      const isOver = await heartbeat(this.#client, { group, memberId, generation }).then(
        () => false,
        () => true,
      )
      if (isOver) {
        const next = await joinGroup(this.#client, again, () => {}).catch(() => undefined)
        if (next === undefined) return
        generation = next.generation
      }
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort()
    this.#client.close()
  }
}

test('a leader that lives and sends no plan is removed', async () => {
  const group = uniqueName('group')
  using stranger = await SilentLeader.join(group)
  expect(stranger.joined.leaderId).toBe(stranger.joined.memberId)
  const one = new TestMember(await realClient(), group, 'a')
  try {
    await until('the member has its own plan', () => one.last?.data === 'a latchkey-1', 50_000)
    expect(one.last!.isLeader).toBe(true)
  } finally {
    await one.leave()
  }
}, 60_000)
