/**
 * What a client knows about topics: their ids, and who leads each partition in which epoch. Answers of brokers that lag behind are recognised and
 * passed over: an id that another one has followed never comes back, and an epoch never falls while the id stays.
 */
import { type TopicMetadata } from './protocol/metadata.ts'

export interface TopicListener {
  /** A topic of the same name has taken the place of the one that was known. Called at once, before any request knows of the new one. */
  recreated?(id: string, former: string): void
  /** A partition was elected another leader, or its leader again. */
  elected?(partition: number, leaderEpoch: number): void
}

interface KnownTopic {
  id: string | undefined
  /** Partition to node. */
  leaders: Map<number, number>
  leaderEpochs: Map<number, number>
  /** Ids of topics of this name that are no more, latest last. */
  former: string[]
}

/** More of them are not told apart from a new one; a broker is never so far behind. */
const formerMax = 16

export class TopicView {
  readonly #topics = new Map<string, KnownTopic>()
  readonly #listeners = new Map<string, Set<TopicListener>>()

  /** Of those that were ever asked for. */
  get names(): string[] {
    return [...this.#topics.keys()]
  }

  /** Undefined where the topic was not asked for, or the brokers know no ids. */
  id(topic: string): string | undefined {
    return this.#topics.get(topic)?.id
  }

  /** -1 where it is not known. */
  leaderEpoch(topic: string, partition: number): number {
    return this.#topics.get(topic)?.leaderEpochs.get(partition) ?? -1
  }

  /** Node id by the last answer; undefined where that named none, or it was forgotten. */
  leader(topic: string, partition: number): number | undefined {
    return this.#topics.get(topic)?.leaders.get(partition)
  }

  forgetLeader(topic: string, partition: number): void {
    this.#topics.get(topic)?.leaders.delete(partition)
  }

  /** Whatever a node led may be led by another one. */
  forgetNode(node: number): void {
    for (const { leaders } of this.#topics.values()) {
      for (const [partition, leader] of leaders) if (leader === node) leaders.delete(partition)
    }
  }

  /** @returns ends it */
  watch(topic: string, listener: TopicListener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  take(found: TopicMetadata): void {
    const { topic, id } = found
    let known = this.#topics.get(topic)
    if (known === undefined) {
      known = { id, leaders: new Map(), leaderEpochs: new Map(), former: [] }
      this.#topics.set(topic, known)
    }
    if (id !== undefined && known.former.includes(id)) return
    const former = known.id
    if (id !== undefined) known.id = id
    const isRecreated = id !== undefined && former !== undefined && id !== former
    if (isRecreated) {
      known.former = [...known.former, former].slice(-formerMax)
      known.leaders.clear()
      known.leaderEpochs.clear()
    }
    const elected = takePartitions(known, found)
    for (const listener of this.#listeners.get(topic) ?? []) {
      if (isRecreated) listener.recreated?.(id, former)
      else for (const [partition, leaderEpoch] of elected) listener.elected?.(partition, leaderEpoch)
    }
  }
}

/** @returns the partitions whose epoch is another than before, with that */
function takePartitions(known: KnownTopic, { id, partitions }: TopicMetadata): [number, number][] {
  const elected: [number, number][] = []
  const leaders = new Map<number, number>()
  for (const { partition, leader, leaderEpoch } of partitions) {
    const before = known.leaderEpochs.get(partition)
    // Without ids a lower epoch may be that of another topic.
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
