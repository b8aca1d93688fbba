import { expect, test } from 'bun:test'
import { explainWriteRefusal } from '../../lib/store/write-refusals.ts'
import { settingsFrom } from '../support/instances/settings.ts'

const topics = { STORE_ID: 'orders', SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' }
const config = settingsFrom({ ...topics, PARTITIONS: '0,1' })
const assignment = { primaries: [0, 1], replicas: [2], partitionCount: 4 }
const handle = {
  fenced: new Map([[1, 'another instance has taken it']]),
  full: undefined,
  recordBytesMax: 1_000,
}
const record = { key: new Uint8Array(10), value: new Uint8Array(100) }

test('a write is accepted when its partition is a primary here', () => {
  expect(explainWriteRefusal(config, 0, assignment, handle, record)).toBeUndefined()
  expect(explainWriteRefusal(config, 0, assignment, handle, { ...record, value: null })).toBeUndefined()
})

test.each([
  [4, 'partition_not_held', "partition 4 does not exist: the topic's partition count is 4"],
  [-1, 'partition_not_held', 'partition -1 does not exist'],
  [0.5, 'partition_not_held', 'partition 0.5 does not exist'],
  [2, 'partition_not_held', 'partition 2 is a replica here. Write to the instance that has it as primary'],
  [3, 'partition_not_held', 'partition 3 is not held by this instance'],
  [1, 'fenced', 'another instance has taken it'],
] as const)('a write to partition %d is refused as %s', (partition, code, text) => {
  const refusal = explainWriteRefusal(config, partition, assignment, handle, record)
  expect(refusal?.code).toBe(code)
  expect(refusal?.message).toStartWith('Writing to store orders: ')
  expect(refusal?.message).toContain(text)
})

test('a write is to be retried when its partition is new and this instance holds all partitions', () => {
  expect(explainWriteRefusal(settingsFrom(topics), 3, assignment, handle, record)?.code).toBe('recovering')
  expect(explainWriteRefusal(settingsFrom(topics), 2, assignment, handle, record)?.code).toBe('partition_not_held')
})

test('a write is refused when the changelog does not accept a record of its size', () => {
  const refusal = explainWriteRefusal(config, 0, assignment, handle, { ...record, value: new Uint8Array(1_000) })
  expect(refusal?.code).toBe('entry_too_large')
  expect(refusal?.details).toEqual({ bytes: 1_093, bytesMax: 1_000 })
})

test('a write is refused when memory is full, a deletion too', () => {
  const full = { ...handle, full: 'memory is full: 3 entries' }
  for (const value of [record.value, null]) {
    const refusal = explainWriteRefusal(config, 0, assignment, full, { ...record, value })
    expect(refusal).toMatchObject({ code: 'memory_full', retriable: false })
    expect(refusal?.message).toBe('Writing to store orders: memory is full: 3 entries')
  }
})
