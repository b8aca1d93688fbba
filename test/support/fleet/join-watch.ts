/** How long the broker and this machine take for a join and a sync, while a row runs: of a group with one member. */
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import { joinGroup, syncGroup } from '../../../lib/kafka/group-requests.ts'
import { uniqueName } from '../kafka/index.ts'
import { withClient } from '../store/topic-log.ts'

const pauseMs = 500
const sessionTimeoutMs = 30_000
const nothing = Buffer.alloc(0)
const protocols = [{ name: 'none', metadata: nothing }]

export class JoinWatch {
  readonly tookMs: number[] = []
  readonly #running: Promise<void>
  #stopping = false

  constructor(direct: string) {
    this.#running = withClient(direct, (client) => this.#run(client))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #run(client: KafkaClient): Promise<void> {
    const group = uniqueName('joins')
    let memberId = ''
    const named = (id: string) => {
      memberId = id
    }
    // An empty group waits for others.
    let isFirst = true
    while (!this.#stopping) {
      const from = performance.now()
      try {
        const request = { group, memberId, protocols, sessionTimeoutMs, rebalanceTimeoutMs: sessionTimeoutMs }
        const { generation } = await joinGroup(client, request, named)
        await syncGroup(client, { group, memberId, generation }, new Map([[memberId, nothing]]), sessionTimeoutMs)
        if (!isFirst) this.tookMs.push(performance.now() - from)
        isFirst = false
      } catch {
        // Brokers are away, and may not know the member afterwards.
        memberId = ''
        isFirst = true
      }
      await Bun.sleep(pauseMs)
    }
  }
}
