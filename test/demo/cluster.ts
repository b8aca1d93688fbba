/** `npm run demo -- --cluster`: three instances over one topic, each with a third of its partitions and replicas of the others. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { partitionOf } from '../../lib/map/index.ts'
import type { KafkaBroker } from '../support/kafka/index.ts'
import type { Feed } from './feed.ts'
import { Instance } from './instance.ts'
import { portsFor } from './ports.ts'
import { urlOf } from './requests.ts'
import { indent, type Step, timer, tryAll } from './steps.ts'

export const clusterPartitions = 9
const thirds = ['0-2', '3-5', '6-8']
const visibleTimeoutMs = 30_000
const pollMs = 20

export interface ClusterOptions {
  executable: string
  broker: KafkaBroker
  storeId: string
  feed: Feed
  /** Whether to try everything itself. */
  once: boolean
  /** What was started is added, to be ended in reverse. */
  started: { close: () => Promise<unknown> }[]
}

interface Node {
  instance: Instance
  base: string
  /** Of an order that it has as primary and that does not change any more. */
  key: string
}

/** Resolves with the exit code of the demo. */
export async function runCluster(options: ClusterOptions): Promise<number> {
  const { storeId, feed, once, started } = options
  const recover = timer()
  const nodes = await createNodes(options)
  started.push(...nodes.map(({ instance }) => instance))
  await Promise.all(nodes.map(({ instance }) => instance.start()))
  // Each is ready with its own third; what the others have just written to the changelog follows.
  for (const { base } of nodes) for (const { key } of nodes) await appears(urlOf(base, storeId, key), feed, key)
  console.log(`Latchkey runs three times, and each has replicas of what the others have (${recover()}).`)
  for (const { instance, base } of nodes) {
    console.log(`\n${base}, process ${instance.pid}, ${instance.folder}/.env:`)
    console.log(indent(readFileSync(join(instance.folder, '.env'), 'utf8')))
  }
  if (once) return tryAll(stepsFor(nodes, storeId, feed))
  feed.keepWriting()
  console.log(`\nTry, in another terminal:\n\n${indent(linesToTry(nodes, storeId))}`)
  console.log('\nOrders keep coming, a few a second. Ctrl-C ends everything.')
  return 0
}

async function createNodes({ executable, broker, storeId, feed }: ClusterOptions): Promise<Node[]> {
  const ports = await portsFor(thirds.length)
  return thirds.map((own, index) => {
    const port = ports[index]!
    const base = `http://127.0.0.1:${port}`
    const settings = {
      SOURCE_TOPIC: storeId,
      STORE_ID: storeId,
      KAFKA_BROKERS: broker.bootstrap,
      PARTITIONS: own,
      PARTITIONS_REPLICA: thirds.filter((third) => third !== own).join(','),
      SERVER_BIND: '127.0.0.1',
      SERVER_PORT: String(port),
    }
    const key = feed.book.delivered('web').find((one) => ownerOf(one) === index)!
    return { instance: new Instance(executable, settings, base), base, key }
  })
}

function linesToTry(nodes: readonly Node[], storeId: string): string {
  const [first, second, third] = nodes as [Node, Node, Node]
  return [
    '# An order at its primary, and at a replica: see X-Latchkey-Role and X-Latchkey-Lag',
    `curl -i ${urlOf(second.base, storeId, second.key)}`,
    `curl -i ${urlOf(first.base, storeId, second.key)}`,
    '',
    '# A replica that is at most 100 records behind, else 503',
    `curl -i '${urlOf(third.base, storeId, second.key)}?max-lag=100'`,
    '',
    '# Kill the second node: the others still serve its orders',
    `kill -9 ${second.instance.pid}`,
    `curl -i ${urlOf(first.base, storeId, second.key)}`,
    `curl -i ${urlOf(third.base, storeId, second.key)}`,
    '',
    '# Run it again',
    `(cd ${second.instance.folder} && ./latchkey)`,
    '',
    '# How a node is',
    `curl '${first.base}/status-store/${storeId}?pretty'`,
  ].join('\n')
}

function stepsFor(nodes: readonly Node[], storeId: string, feed: Feed): Step[] {
  const [first, second, third] = nodes as [Node, Node, Node]
  const servedBy = (node: Node, key: string, role: string | null): Step => {
    const url = urlOf(node.base, storeId, key)
    return { title: `curl -i ${url}`, act: () => serves(url, feed.book.latest.get(key), role) }
  }
  const newOrders: string[] = []
  return [
    ...nodes.flatMap((owner) => nodes.map((node) => servedBy(node, owner.key, node === owner ? null : 'replica'))),
    { title: `# The second node is killed: kill -9 ${second.instance.pid}`, act: () => second.instance.kill() },
    servedBy(first, second.key, 'replica'),
    servedBy(third, second.key, 'replica'),
    {
      title: '# New orders are written to Kafka, and the second node is started again',
      act: async () => {
        const records = Array.from({ length: 20 }, () => feed.book.place())
        newOrders.push(...records.map(({ key }) => key))
        await feed.write(records)
        await second.instance.start()
      },
    },
    {
      title: '# All three nodes have all of them',
      act: async () => {
        for (const { base } of nodes) for (const key of newOrders) await appears(urlOf(base, storeId, key), feed, key)
      },
    },
    { title: '# SIGTERM ends each with exit code 0', act: () => endAll(nodes) },
  ]
}

async function serves(url: string, value: string | undefined, role: string | null): Promise<void> {
  const answer = await fetch(url)
  const body = await answer.text()
  const found = answer.headers.get('x-latchkey-role')
  if (answer.status !== 200 || body !== value) throw new Error(`${answer.status} ${body} instead of ${value}`)
  if (found !== role) throw new Error(`answered as ${found ?? 'primary'} instead of ${role ?? 'primary'}`)
}

async function appears(url: string, feed: Feed, key: string): Promise<void> {
  const deadline = performance.now() + visibleTimeoutMs
  for (;;) {
    const body = await (await fetch(url)).text()
    if (body === feed.book.latest.get(key)) return
    if (performance.now() > deadline) throw new Error(`${url} after ${visibleTimeoutMs} ms: ${body}`)
    await Bun.sleep(pollMs)
  }
}

async function endAll(nodes: readonly Node[]): Promise<void> {
  const exitCodes = await Promise.all(nodes.map(({ instance }) => instance.stop()))
  if (exitCodes.some((exitCode) => exitCode !== 0)) throw new Error(`exit codes ${exitCodes.join(', ')}`)
}

/** Index of the node that has a key as primary. */
function ownerOf(key: string): number {
  return Math.floor((partitionOf(Buffer.from(key), clusterPartitions) * thirds.length) / clusterPartitions)
}
