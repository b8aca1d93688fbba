import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { FaultRun } from '../support/fault-run/fault-run.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'

const accepted = 0
const invalidProducerEpoch = 47

let broker: KafkaBroker
let run: FaultRun

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterEach(() => run.close())

afterAll(() => broker.close())

async function open(settings: Record<string, string> = {}): Promise<void> {
  run = await FaultRun.open(broker, new Random(1), { partitions: 1, settings, workload: { keys: 3 } })
  await run.startReady()
}

test('a Produce that arrives after its retry and after newer writes is recognised as a duplicate', async () => {
  await open()
  const late = holdProduceOf('OLD')
  await run.workload.send([['key-1', 'OLD']])
  const connection = await late.held
  broker.proxy!.cut()
  await run.visible('key-1', 'OLD')
  await run.workload.send([['key-1', 'NEW']])
  await run.visible('key-1', 'NEW')

  late.release()
  const answer = await answerOn(connection)
  expect(answer.errorCode).toBe(accepted)
  const { changelog } = await run.verify()
  expect(changelog.records.map(({ value }) => value)).toEqual(['OLD', 'NEW'])
  expect(answer.baseOffset).toBe(changelog.records[0]!.offset)
  await run.verifyCompacted()
})

test('a Produce of a killed store is refused when it arrives after those of its successor', async () => {
  await open()
  const late = await outlivedProduce()
  late.release()
  expect((await answerOn(late.connection)).errorCode).toBe(invalidProducerEpoch)
  const { changelog } = await run.verify()
  expect(changelog.records.map(({ value }) => value)).toEqual(['OLD', 'NEW'])
  await run.verifyCompacted()
})

test('a Produce of a killed store is repaired by its successor without fencing', async () => {
  await open({ FENCING: 'false' })
  const late = await outlivedProduce()
  late.release()
  expect((await answerOn(late.connection)).errorCode).toBe(accepted)
  const values = async () => (await run.history()).changelog.records.map(({ value }) => value)
  await run.process.until('it is put right', async () => (await values()).length === 4)
  expect(await values()).toEqual(['OLD', 'NEW', 'OLD', 'NEW'])
  await run.verifyCompacted()
})

/** A Produce that is under way when its store is killed; the successor has written the same and a newer value meanwhile. */
async function outlivedProduce() {
  const late = holdProduceOf('OLD')
  await run.workload.send([['key-1', 'OLD']])
  const connection = await late.held
  await run.process.kill()
  await run.startReady()
  await run.visible('key-1', 'OLD')
  await run.workload.send([['key-1', 'NEW']])
  await run.visible('key-1', 'NEW')
  return { connection, release: late.release }
}

/** Holds back the first Produce that carries this value; `held` resolves with its connection. */
function holdProduceOf(value: string) {
  const held = Promise.withResolvers<number>()
  const released = Promise.withResolvers<void>()
  let isFirst = true
  run.recorder.faults.produce = ({ batches, connection }) => {
    if (!isFirst || !batches.some(({ body }) => body.includes(value))) return
    isFirst = false
    held.resolve(connection)
    return released.promise
  }
  return { held: held.promise, release: released.resolve }
}

/** What the broker has answered to the last Produce on a connection. */
async function answerOn(connection: number) {
  const found = () => run.recorder.answers.findLast((answer) => answer.connection === connection)
  await run.process.until('the broker has answered', () => found() !== undefined)
  return found()!
}
