/** What the cluster asks its brokers, each for its own view. Undefined where a broker does not answer. */
import { array, ask, Cursor, int8, int32, int64, string } from '../request.ts'

const answerTimeoutMs = 5_000
const electionTimeoutMs = 3_000

export interface PartitionView {
  topic: string
  partition: number
  /** Node id; -1 without one. */
  leader: number
  /** Node ids, the preferred leader first. */
  replicas: number[]
  isr: number[]
}

export interface ClusterView {
  /** Node ids of the brokers that are alive. */
  brokers: number[]
  /** host:port of the same, by the listener that was asked. */
  addresses: string[]
  /** Of all topics, internal ones included. */
  partitions: PartitionView[]
}

/** Metadata v1 of all topics. */
export async function clusterView(address: string): Promise<ClusterView | undefined> {
  const response = await ask(address, { apiKey: 3, apiVersion: 1, body: int32(-1) }, answerTimeoutMs)
  if (response === undefined) return undefined
  const cursor = new Cursor(response)
  const brokers = cursor.array(() => {
    const id = cursor.int32()
    const hostAndPort = `${cursor.string()}:${cursor.int32()}`
    cursor.string() // rack
    return { id, hostAndPort }
  })
  cursor.int32() // controller
  const partitions = cursor.array(() => {
    cursor.int16() // error
    const topic = cursor.string()
    cursor.int8() // internal
    return cursor.array(() => {
      cursor.int16() // error: no leader, or a replica that is down
      const [partition, leader] = [cursor.int32(), cursor.int32()]
      const replicas = cursor.array(() => cursor.int32())
      const isr = cursor.array(() => cursor.int32())
      return { topic, partition, leader, replicas, isr }
    })
  })
  return {
    brokers: brokers.map(({ id }) => id),
    addresses: brokers.map(({ hostAndPort }) => hostAndPort),
    partitions: partitions.flat(),
  }
}

export const election = { preferred: 0, unclean: 1 } as const

/** ElectLeaders v1 (KIP-460) of one partition. What came of it is seen in the metadata. */
export async function electLeader(
  address: string,
  kind: keyof typeof election,
  topic: string,
  partition: number,
): Promise<void> {
  const topics = array([Buffer.concat([string(topic), array([int32(partition)])])])
  const body = Buffer.concat([int8(election[kind]), topics, int32(electionTimeoutMs)])
  await ask(address, { apiKey: 43, apiVersion: 1, body }, answerTimeoutMs)
}

/** DeleteTopics v1. What came of it is seen in the metadata. */
export async function deleteTopics(address: string, topics: readonly string[]): Promise<void> {
  const body = Buffer.concat([array(topics.map(string)), int32(answerTimeoutMs)])
  await ask(address, { apiKey: 20, apiVersion: 1, body }, answerTimeoutMs)
}

/** FindCoordinator v1: a node id; undefined while there is none. */
export async function coordinatorOf(
  address: string,
  kind: 'group' | 'transaction',
  key: string,
): Promise<number | undefined> {
  const body = Buffer.concat([string(key), int8(kind === 'group' ? 0 : 1)])
  const response = await ask(address, { apiKey: 10, apiVersion: 1, body }, answerTimeoutMs)
  if (response === undefined) return undefined
  const cursor = new Cursor(response)
  cursor.int32() // throttled for
  const errorCode = cursor.int16()
  cursor.string() // error message
  return errorCode === 0 ? cursor.int32() : undefined
}

/** Where the log of a partition ends at its leader. Undefined where the broker does not lead it. */
export async function endOffset(address: string, topic: string, partition: number): Promise<number | undefined> {
  return (await endOffsets(address, topic, [partition])).get(partition)
}

/** ListOffsets v1: where the logs of those partitions end that the broker leads. */
export async function endOffsets(
  address: string,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, number>> {
  const asked = array(partitions.map((partition) => Buffer.concat([int32(partition), int64(-1)])))
  const body = Buffer.concat([int32(-1), array([Buffer.concat([string(topic), asked])])])
  const response = await ask(address, { apiKey: 2, apiVersion: 1, body }, answerTimeoutMs)
  const ends = new Map<number, number>()
  if (response === undefined) return ends
  const cursor = new Cursor(response)
  cursor.array(() => {
    cursor.string() // topic
    cursor.array(() => {
      const partition = cursor.int32()
      const errorCode = cursor.int16()
      cursor.int64() // timestamp
      const offset = cursor.int64()
      if (errorCode === 0) ends.set(partition, offset)
    })
  })
  return ends
}
