/** Instances of the executable over one topic, each with its own settings, and the requests of a user. */
import { expect } from 'bun:test'
import { LatchkeyProcess, localPort } from '../binary/latchkey-process.ts'
import { fold, readTopic } from '../fault-run/oracle.ts'
import type { KafkaEndpoint } from '../kafka/index.ts'
import { until } from '../until.ts'

export interface Answer {
  status: number
  text: string
  /** 'replica', or null for a primary. */
  role: string | null
  /** Of the source record; -1 without. */
  offset: number
}

export class Node {
  readonly #settings: Readonly<Record<string, string>>
  #process: LatchkeyProcess | undefined

  constructor(broker: KafkaEndpoint, topic: string, settings: Readonly<Record<string, string>>) {
    const common = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, AUTO_FLUSH_SECONDS: '0.05' }
    this.#settings = { ...localPort, ...common, ...settings }
  }

  get process(): LatchkeyProcess {
    return this.#process!
  }

  get isRunning(): boolean {
    return this.#process?.isAlive ?? false
  }

  async start(): Promise<void> {
    await this.#process?.close()
    this.#process = await LatchkeyProcess.start({ settings: this.#settings })
  }

  async startReady(): Promise<void> {
    await this.start()
    await this.process.until('it is ready', () => this.process.isReady())
  }

  async lookUp(key: string): Promise<Answer> {
    const answer = await this.process.get(
      `/stores/${this.#settings['STORE_ID'] ?? this.#settings['SOURCE_TOPIC']}/${key}`,
    )
    const role = answer.headers.get('x-latchkey-role')
    const offset = Number(answer.headers.get('x-kafka-offset') ?? -1)
    return { status: answer.status, text: await answer.text(), role, offset }
  }

  async close(): Promise<void> {
    await this.#process?.close()
  }
}

/** Waits until a node answers for every key ever written what the source has last. */
export async function agrees(node: Node, broker: KafkaEndpoint, topic: string): Promise<void> {
  const wanted = fold((await readTopic(broker.direct, topic)).records)
  expect(wanted.size).toBeGreaterThan(0)
  let open = [...wanted.keys()]
  let wrong = ''
  const allRight = async () => {
    const answers = await Promise.all(open.map(async (key) => ({ key, ...(await node.lookUp(key)) })))
    const off = answers.filter(({ key, status, text }) => {
      const value = wanted.get(key)!
      return value === null ? status !== 404 : status !== 200 || text !== value
    })
    const [first] = off
    if (first) wrong = `${first.key} is ${first.status} ${first.text} instead of ${wanted.get(first.key)}`
    open = off.map(({ key }) => key)
    return open.length === 0
  }
  await until('it agrees with the source', allRight).catch((error: Error) => {
    throw new Error(`${error.message}: ${wrong}`, { cause: error })
  })
}
