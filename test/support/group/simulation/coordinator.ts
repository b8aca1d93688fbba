/** Kafka's group coordinator for the classic protocol, as GroupCoordinator.scala and GroupMetadataManager.java have it. */
import type { DescribedGroup } from '../../../../lib/kafka/described-group.ts'
import type { SimulatedClock } from './clock.ts'

type Answer = (response: Record<string, unknown>) => void

interface CoordinatedMember {
  metadata: Buffer
  sessionMs: number
  rebalanceMs: number
  seenAtMs: number
  join: Answer | undefined
  sync: Answer | undefined
}

type GroupState = 'empty' | 'preparing' | 'completing' | 'stable'

interface Persisted {
  generation: number
  leader: string
  assignments: ReadonlyMap<string, Buffer>
  members: readonly { id: string; metadata: Buffer; sessionMs: number; rebalanceMs: number }[]
}

const initialDelayMs = 3_000
const checkMs = 250
const noBytes = Buffer.alloc(0)

export class SimulatedCoordinator {
  readonly #clock: SimulatedClock
  #members = new Map<string, CoordinatedMember>()
  readonly #pending = new Set<string>()
  #state: GroupState = 'empty'
  #generation = 0
  #leader = ''
  #assignments: ReadonlyMap<string, Buffer> = new Map()
  #deadlineMs = Number.POSITIVE_INFINITY
  #notBeforeMs = 0
  #ids = 0
  #persisted: Persisted = { generation: 0, leader: '', assignments: new Map(), members: [] }

  constructor(clock: SimulatedClock) {
    this.#clock = clock
    this.#check()
  }

  get memberIds(): string[] {
    return [...this.#members.keys()]
  }

  get generation(): number {
    return this.#generation
  }

  /** While the group rebalances, it does not say what members have sent. */
  describe(): DescribedGroup {
    const known = { clientId: '', clientHost: '', assignment: noBytes }
    const said = this.#state === 'stable' ? [...this.#members] : []
    const members = said.map(([memberId, { metadata }]) => ({ memberId, metadata, ...known }))
    return { state: '', protocolType: 'consumer', protocol: 'latchkey-1', members, operations: 0 }
  }

  /** Another broker takes over: it knows what was written to the offsets topic, and sessions begin again. */
  failOver(): void {
    for (const { join, sync } of this.#members.values()) {
      join?.({ errorCode: 16, memberId: '' })
      sync?.({ errorCode: 16 })
    }
    const { generation, leader, assignments, members } = this.#persisted
    this.#generation = generation
    this.#leader = leader
    this.#assignments = assignments
    this.#members = new Map()
    for (const { id, metadata, sessionMs, rebalanceMs } of members) {
      const fresh = { join: undefined, sync: undefined, seenAtMs: this.#clock.nowMs }
      this.#members.set(id, { metadata, sessionMs, rebalanceMs, ...fresh })
    }
    this.#pending.clear()
    this.#state = members.length === 0 ? 'empty' : 'stable'
  }

  handle(api: string, args: Record<string, unknown>, answer: Answer): void {
    const memberId = args['memberId'] as string
    if (api === 'JoinGroup') this.#join(memberId, args, answer)
    else if (api === 'SyncGroup') this.#sync(memberId, args, answer)
    else if (api === 'Heartbeat') answer({ errorCode: this.#beat(memberId, args['groupGenerationId'] as number) })
    else if (api === 'LeaveGroup') this.#leave(memberId, answer)
    else throw new Error(`handle ${api}: not known`)
  }

  #join(memberId: string, args: Record<string, unknown>, answer: Answer): void {
    if (memberId === '') {
      const id = `m${this.#ids++}`
      this.#pending.add(id)
      answer({ errorCode: 79, memberId: id })
      return
    }
    const known = this.#members.get(memberId)
    if (known === undefined && !this.#pending.delete(memberId)) {
      answer({ errorCode: 25, memberId })
      return
    }
    const [protocol] = args['groupProtocols'] as [{ metadata: Buffer }]
    const isSame = known?.metadata.equals(protocol.metadata) === true
    // A follower that says nothing new starts no rebalance.
    const isFollowing = this.#state === 'stable' && memberId !== this.#leader
    if (isSame && (isFollowing || this.#state === 'completing')) {
      this.#answerJoin(memberId, answer)
      return
    }
    this.#members.set(memberId, {
      metadata: protocol.metadata,
      sessionMs: args['sessionTimeout'] as number,
      rebalanceMs: args['rebalanceTimeout'] as number,
      seenAtMs: this.#clock.nowMs,
      join: answer,
      sync: undefined,
    })
    this.#prepare()
    this.#completeJoin()
  }

  #answerJoin(memberId: string, answer: Answer): void {
    const members = [...this.#members].map(([id, { metadata }]) => ({ memberId: id, memberMetadata: metadata }))
    answer({
      errorCode: 0,
      generationId: this.#generation,
      groupProtocol: 'latchkey-1',
      leaderId: this.#leader,
      memberId,
      members: memberId === this.#leader ? members : [],
    })
  }

  #prepare(): void {
    if (this.#state === 'preparing') return
    this.#notBeforeMs = this.#state === 'empty' ? this.#clock.nowMs + initialDelayMs : this.#clock.nowMs
    for (const member of this.#members.values()) {
      member.sync?.({ errorCode: 27, memberAssignment: noBytes })
      member.sync = undefined
    }
    this.#state = 'preparing'
    const longest = Math.max(...[...this.#members.values()].map(({ rebalanceMs }) => rebalanceMs))
    this.#deadlineMs = this.#notBeforeMs + longest
  }

  #completeJoin(): void {
    if (this.#state !== 'preparing' || this.#clock.nowMs < this.#notBeforeMs) return
    const isLate = this.#clock.nowMs >= this.#deadlineMs
    const silent = [...this.#members].filter(([, { join }]) => join === undefined).map(([id]) => id)
    if (silent.length > 0 && !isLate) return
    for (const id of silent) this.#members.delete(id)
    this.#generation++
    if (this.#members.size === 0) {
      this.#becomeEmpty()
      return
    }
    this.#state = 'completing'
    this.#assignments = new Map()
    if (!this.#members.has(this.#leader)) this.#leader = [...this.#members.keys()][0]!
    for (const [id, member] of this.#members) {
      const { join } = member
      member.join = undefined
      member.seenAtMs = this.#clock.nowMs
      this.#answerJoin(id, join!)
    }
  }

  #sync(memberId: string, args: Record<string, unknown>, answer: Answer): void {
    const member = this.#members.get(memberId)
    const refusal = this.#refusal(member, args['generationId'] as number)
    if (member === undefined || refusal !== 0) {
      answer({ errorCode: refusal })
      return
    }
    member.seenAtMs = this.#clock.nowMs
    if (this.#state === 'stable') {
      answer({ errorCode: 0, memberAssignment: this.#assignments.get(memberId) ?? noBytes })
      return
    }
    member.sync = answer
    if (memberId !== this.#leader) return
    const sent = args['groupAssignment'] as { memberId: string; memberAssignment: Buffer }[]
    this.#assignments = new Map(sent.map((one) => [one.memberId, one.memberAssignment]))
    this.#state = 'stable'
    this.#persist()
    for (const [id, one] of this.#members) {
      one.sync?.({ errorCode: 0, memberAssignment: this.#assignments.get(id) ?? noBytes })
      one.sync = undefined
    }
  }

  #beat(memberId: string, generation: number): number {
    const member = this.#members.get(memberId)
    if (member === undefined) return 25
    if (generation !== this.#generation) return 22
    member.seenAtMs = this.#clock.nowMs
    return this.#state === 'preparing' ? 27 : 0
  }

  #refusal(member: CoordinatedMember | undefined, generation: number): number {
    if (member === undefined) return 25
    if (generation !== this.#generation) return 22
    return this.#state === 'preparing' ? 27 : 0
  }

  #leave(memberId: string, answer: Answer): void {
    const isKnown = this.#members.has(memberId) || this.#pending.delete(memberId)
    answer({ errorCode: 0, members: [{ errorCode: isKnown ? 0 : 25 }] })
    if (this.#members.has(memberId)) this.#remove(memberId)
  }

  #remove(memberId: string): void {
    const { join, sync } = this.#members.get(memberId)!
    this.#members.delete(memberId)
    join?.({ errorCode: 25, memberId })
    sync?.({ errorCode: 25, memberAssignment: noBytes })
    if (this.#members.size === 0 && this.#state !== 'preparing') {
      this.#generation++
      this.#becomeEmpty()
      return
    }
    if (this.#members.size > 0) this.#prepare()
    this.#completeJoin()
  }

  #becomeEmpty(): void {
    this.#state = 'empty'
    this.#assignments = new Map()
    this.#persist()
  }

  #persist(): void {
    const members = [...this.#members].map(([id, { metadata, sessionMs, rebalanceMs }]) => {
      return { id, metadata, sessionMs, rebalanceMs }
    })
    this.#persisted = { generation: this.#generation, leader: this.#leader, assignments: this.#assignments, members }
  }

  /** Ends sessions and waits. A member that waits for the others is not silent. */
  #check(): void {
    for (const [id, { seenAtMs, sessionMs, join, sync }] of this.#members) {
      const isSilent = join === undefined && sync === undefined && this.#clock.nowMs - seenAtMs > sessionMs
      if (isSilent && this.#members.has(id)) this.#remove(id)
    }
    this.#completeJoin()
    this.#clock.after(checkMs, () => this.#check())
  }
}
