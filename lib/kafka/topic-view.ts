/**
 * What a client knows about topics: ids, and the leader and leader epoch of each partition. Ignores responses of
 * brokers that lag behind: a former id of a topic never becomes current again, and an epoch never falls while the id
 * stays.
 */
import { isDebug, loggerOf } from '../log/index.ts'
import { unknownTopic } from './protocol/error-codes.ts'
import type { TopicMetadata } from './protocol/metadata.ts'

const log = loggerOf('kafka')

export interface TopicListener {
  /** A topic was deleted and created again with the same name. Called before any request uses the new topic. */
  recreated?(id: string, former: string): void
  /** A partition has elected another leader, or the same one again. */
  elected?(partition: number, leaderEpoch: number): void
}

interface KnownTopic {
  id: string | undefined
  /** Node id by partition. */
  leaders: Map<number, number>
  leaderEpochs: Map<number, number>
  /** Ids of deleted topics of this name, the latest last. */
  former: string[]
  /** Whether the last response did not know the topic. */
  isMissing: boolean
}

/** Maximum of former ids. An older one would count as new, but no broker lags behind that far. */
const formerMax = 16

export class TopicView {
  /** Id of the cluster; undefined before the first metadata, or if the brokers name none. */
  clusterId: string | undefined
  readonly #topics = new Map<string, KnownTopic>()
  readonly #listeners = new Map<string, Set<TopicListener>>()

  /** Topics in the metadata received so far. */
  get names(): string[] {
    return [...this.#topics.keys()]
  }

  /** Returns undefined if the topic was not requested, or the brokers know no ids. */
  id(topic: string): string | undefined {
    return this.#topics.get(topic)?.id
  }

  /** Returns -1 if unknown. */
  leaderEpoch(topic: string, partition: number): number {
    return this.#topics.get(topic)?.leaderEpochs.get(partition) ?? -1
  }

  /** Returns the node id from the last response; undefined if that named none, or it was forgotten. */
  leader(topic: string, partition: number): number | undefined {
    return this.#topics.get(topic)?.leaders.get(partition)
  }

  /** Whether the brokers did not know the topic when they were asked last, although it was used before. */
  isMissing(topic: string): boolean {
    return this.#topics.get(topic)?.isMissing ?? false
  }

  forgetLeader(topic: string, partition: number): void {
    this.#topics.get(topic)?.leaders.delete(partition)
  }

  /** Forgets the leaders at a node: other nodes may lead its partitions now. */
  forgetNode(node: number): void {
    for (const { leaders } of this.#topics.values()) {
      for (const [partition, leader] of leaders) if (leader === node) leaders.delete(partition)
    }
  }

  /** @returns function that ends the subscription */
  watch(topic: string, listener: TopicListener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  update(found: TopicMetadata): void {
    const { topic, id } = found
    let known = this.#topics.get(topic)
    if (known === undefined) {
      known = { id, leaders: new Map(), leaderEpochs: new Map(), former: [], isMissing: false }
      this.#topics.set(topic, known)
    }
    if (id !== undefined && known.former.includes(id)) return
    known.isMissing = found.errorCode === unknownTopic
    const former = known.id
    if (id !== undefined) known.id = id
    const isRecreated = id !== undefined && former !== undefined && id !== former
    if (isRecreated) {
      known.former = [...known.former, former].slice(-formerMax)
      known.leaders.clear()
      known.leaderEpochs.clear()
    }
    const elected = updatePartitions(known, found)
    if (isDebug()) for (const [partition, leaderEpoch] of elected) logElected(topic, partition, leaderEpoch, known)
    for (const listener of this.#listeners.get(topic) ?? []) {
      if (isRecreated) listener.recreated?.(id, former)
      else for (const [partition, leaderEpoch] of elected) listener.elected?.(partition, leaderEpoch)
    }
  }
}

function logElected(topic: string, partition: number, leaderEpoch: number, { leaders }: KnownTopic): void {
  const message = 'Leader of {topic} partition {partition} is node {node} since leader epoch {leaderEpoch}'
  log.debug(message, { topic, partition, node: leaders.get(partition), leaderEpoch })
}

/** @returns partitions whose epoch has changed, with the new epoch */
function updatePartitions(known: KnownTopic, { id, partitions }: TopicMetadata): [number, number][] {
  const elected: [number, number][] = []
  const leaders = new Map<number, number>()
  for (const { partition, leader, leaderEpoch } of partitions) {
    const before = known.leaderEpochs.get(partition)
    // Without ids, a lower epoch may belong to another topic.
    if (id !== undefined && before !== undefined && leaderEpoch >= 0 && leaderEpoch < before) {
      const still = known.leaders.get(partition)
      if (still !== undefined) leaders.set(partition, still)
      continue
    }
    if (leader >= 0) leaders.set(partition, leader)
    if (leaderEpoch < 0) continue
    known.leaderEpochs.set(partition, leaderEpoch)
    if (before !== undefined && before !== leaderEpoch) elected.push([partition, leaderEpoch])
  }
  known.leaders = leaders
  return elected
}
