/** A client of a feed in a group, which takes what there is as soon as it is there. */
import type { LocalChanges } from '../../../lib/routing/local-changes.ts'
import { type ChangeId, formatChangeId, parseChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { ChangeEvent, Following, FollowOptions } from '../../../lib/store-protocol/following.ts'

export class GroupFollower {
  /** In order, as text: `put key value`, `delete key`, `reset`, `status partition state`. */
  readonly events: string[] = []
  place: ChangeId | 'start' | undefined
  error: unknown
  /** Takes nothing while it is set. */
  isPaused = true
  #following!: Following
  #isReady = true
  #isTaking = false

  static async open(changes: LocalChanges, options: Partial<FollowOptions> = {}): Promise<GroupFollower> {
    const follower = new GroupFollower()
    const all = { from: 'now', withValues: true, ...options } as const
    follower.#following = await changes.follow(all, () => follower.woken())
    follower.place = follower.following.place
    follower.isPaused = false
    follower.woken()
    return follower
  }

  private constructor() {
    // It begins when it follows.
  }

  get following(): Following {
    return this.#following
  }

  /** The events of one key. */
  of(key: string): string[] {
    return this.events.filter((event) => event.split(' ')[1] === key)
  }

  resume(): void {
    this.isPaused = false
    this.woken()
  }

  woken(): void {
    this.#isReady = true
    if (!this.#isTaking) void this.#take()
  }

  close(): void {
    this.isPaused = true
    this.#following.close()
  }

  async #take(): Promise<void> {
    this.#isTaking = true
    try {
      while (this.#isReady && !this.isPaused) {
        this.#isReady = false
        const batch = await this.#following.next()
        if (batch === undefined) continue
        this.#isReady = true
        this.events.push(...batch.events.map(textOf))
        // Through its text, as a client names it.
        if (batch.place !== undefined) {
          this.place = batch.place === 'start' ? 'start' : parseChangeId(formatChangeId(batch.place))
        }
      }
    } catch (thrown) {
      this.error = thrown
    }
    this.#isTaking = false
  }
}

function textOf(event: ChangeEvent): string {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
  switch (event.type) {
    case 'put':
      return `put ${text(event.entry.key)} ${text(event.entry.value)}`
    case 'delete':
      return `delete ${text(event.key)}`
    case 'status':
      return `status ${event.partition} ${event.state}`
    case 'reset':
      return 'reset'
  }
}
