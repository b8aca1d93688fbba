import { expect, test } from 'bun:test'
import { resolve } from 'node:path'
import { kafkaClient, sharedKafka } from '../support/kafka/index.ts'
import { run, tail } from '../support/process/run.ts'
import { until } from '../support/until.ts'

const demo = resolve(import.meta.dir, 'main.ts')
const demoTimeoutMs = 300_000

test(
  'the demo works against another Kafka, and leaves neither topics nor groups there',
  async () => {
    const broker = await sharedKafka()
    await using admin = await connectedAdmin(broker)
    const before = await admin.names()
    const command = ['env', `KAFKA_BROKERS=${broker.bootstrap}`, process.execPath, demo, '--once']
    const { stdout, stderr, exitCode } = await run(command, demoTimeoutMs)
    if (exitCode !== 0) throw new Error(`the demo: exit code ${exitCode}\n${tail(stdout + stderr)}`)
    const name = /^Topics and group are named (orders-\w+), and are deleted at the end\.$/m.exec(stdout)?.[1]
    expect(name).toBeDefined()
    expect(before.filter((one) => one.includes(name!))).toEqual([])
    await until('nothing of it is left', async () => (await admin.names()).every((one) => !one.includes(name!)))
  },
  demoTimeoutMs,
)

async function connectedAdmin(broker: { bootstrap: string }) {
  const admin = kafkaClient(broker).admin()
  await admin.connect()
  return {
    /** Of all topics and groups. */
    async names(): Promise<string[]> {
      const [topics, { groups }] = await Promise.all([admin.listTopics(), admin.listGroups()])
      return [...topics, ...groups.map(({ groupId }) => groupId)]
    },
    [Symbol.asyncDispose]: () => admin.disconnect(),
  }
}
