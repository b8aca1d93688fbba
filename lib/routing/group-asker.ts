/** Asks any member of the group for something, this instance included: that one answers from its own memory, too. */
import { LatchkeyError } from '../errors.ts'
import { answerWide, type LocalReads } from './answer-wide.ts'
import type { Result } from './operations.ts'
import type { RoutedMember } from './route-table.ts'
import type { WideOperation, WideResult } from './wide-operations.ts'

/** The part of RouteTable that reads of several keys use. */
export interface Routes {
  readonly partitionCount: number
  readonly members: readonly RoutedMember[]
  /** Some keys are where the partitioner does not put them. */
  readonly hasStrangers: boolean
  /** The same, or that is not known yet. */
  readonly mayHaveStrangers: boolean
  /** Ids of members, in the order in which they are asked; this instance included where it has a copy. */
  candidates(partition: number): readonly string[]
  primaryOf(partition: number): RoutedMember | undefined
  /** As RouteTable.isUnread. */
  isUnread(partition: number): boolean
  isSelf(memberId: string): boolean
}

export interface PeerReads {
  /** @throws LatchkeyError owner_unreachable, as a rejection */
  read(memberId: string, operations: readonly WideOperation[], options: PeerReadOptions): Promise<readonly Result[]>
}

export interface PeerReadOptions {
  timeoutMs: number
  /** Beginning of the message of an error. */
  attempted: string
}

export type ResultOf<T extends WideOperation['type']> = Extract<WideResult, { type: T }>

export class GroupAsker {
  readonly local: LocalReads
  readonly routes: Routes
  /** Beginning of messages. */
  readonly attempted: string
  readonly #peers: PeerReads

  constructor(local: LocalReads, routes: Routes, peers: PeerReads) {
    this.local = local
    this.routes = routes
    this.attempted = `Reading store ${local.id}`
    this.#peers = peers
  }

  /** Identity of a member's life, which epochs are named by. */
  instanceOf(memberId: string): string {
    return this.#member(memberId)?.id ?? memberId
  }

  nameOf(memberId: string): string {
    const member = this.#member(memberId)
    if (member === undefined) return 'an instance that has left'
    return member.isSelf ? 'this instance' : member.url
  }

  isSelf(memberId: string): boolean {
    return this.routes.isSelf(memberId)
  }

  /** Whether this instance is the first one that is asked for a partition. */
  isHere(partition: number): boolean {
    const [first] = this.routes.candidates(partition)
    return first !== undefined && this.isSelf(first)
  }

  /** @throws LatchkeyError owner_unreachable, and what the member answers in place of a result; as a rejection */
  async ask<T extends WideOperation>(
    memberId: string,
    operation: T,
    timeoutMs: number,
    attempted = this.attempted,
  ): Promise<ResultOf<T['type']>> {
    const [result] = this.isSelf(memberId)
      ? [await answerWide(this.local, operation, { partitionCount: 0 })]
      : await this.#peers.read(memberId, [operation], { timeoutMs, attempted })
    if (result === undefined || result.type === 'failed') throw result?.error ?? this.#otherResult(memberId)
    if (result.type !== operation.type) throw this.#otherResult(memberId)
    return result as ResultOf<T['type']>
  }

  #otherResult(memberId: string): LatchkeyError {
    const found = `${this.nameOf(memberId)} has answered something else than what it was asked for`
    return new LatchkeyError('owner_unreachable', `${this.attempted}: ${found}`)
  }

  #member(memberId: string): RoutedMember | undefined {
    return this.routes.members.find((member) => member.memberId === memberId)
  }
}
