/** A store whose topic needs more than MEMORY_MAX leaves for it. */
import { expect, test } from 'bun:test'
import { CompressionTypes } from 'kafkajs'
import type { Store } from '../../lib/store/store.ts'
import { Instances } from '../support/instances/instances.ts'
import { kafkaClient } from '../support/kafka/index.ts'
import { soon, until } from '../support/until.ts'

const partitions = 2
const valueBytes = 100_000
/** More than the least MEMORY_MAX leaves for them. */
const keys = 1_800
const least = { MEMORY_MAX: '256M', STORE_THREADS: '2' }

function valueOf(number: number): string {
  return `${number} `.padEnd(valueBytes, '.')
}

async function fill(instances: Instances): Promise<void> {
  const producer = kafkaClient({ bootstrap: instances.broker.direct }).producer()
  await producer.connect()
  for (let from = 0; from < keys; from += 100) {
    const messages = Array.from({ length: 100 }, (_, i) => {
      const key = `key-${from + i}`
      return { key, value: valueOf(from + i), partition: instances.partitionOf(key) }
    })
    // The values compress to nearly nothing.
    await producer.send({ topic: instances.source, messages, compression: CompressionTypes.GZIP })
  }
  await producer.disconnect()
}

/** Looks every key up: found if its record is below the position of its partition, and only then. */
async function expectRightAtItsPosition(instances: Instances, store: Store): Promise<number> {
  await store.flush()
  const positions = store.status().details.map(({ position }) => position!)
  const offsets = Array.from({ length: partitions }, () => 0)
  let found = 0
  for (let number = 0; number < keys; number++) {
    const key = `key-${number}`
    const partition = instances.partitionOf(key)
    const isRead = offsets[partition]!++ < positions[partition]!
    const value = (await store.get(Buffer.from(key)))?.value
    const isRight = isRead ? Buffer.from(valueOf(number)).equals(value ?? new Uint8Array()) : value === undefined
    expect([key, isRight]).toEqual([key, true])
    if (isRead) found++
  }
  return found
}

function isFull(store: Store): boolean {
  if (store.state === 'failed') throw new Error(store.status().reason)
  return store.state === 'running' && store.status().memory.state === 'full'
}

test('a store that fills its memory answers with what it has, again after a restart, and continues with more', async () => {
  await using instances = await Instances.create({ partitions })
  await fill(instances)
  let store = instances.open(least)
  await until('it is full', () => isFull(store))
  const { memory, details, conditions, reason } = store.status()
  const begun = /^memory is full: \d+ entries of \d+ MiB, and MEMORY_MAX=256M leaves \d+ MiB for them/
  expect(memory).toMatchObject({ state: 'full', max: 256 << 20 })
  expect(details.map(({ state }) => state)).toEqual(['full', 'full'])
  expect(reason).toMatch(begun)
  expect(conditions.filter(({ ok }) => !ok)).toEqual([])
  await soon('it is ready', store.ready)
  const write = store.write(Buffer.from('another'), Buffer.from('value'))
  await expect(write).rejects.toMatchObject({ code: 'memory_full', message: expect.stringMatching(/memory is full: /) })
  const found = await expectRightAtItsPosition(instances, store)
  expect(found).toBeGreaterThan(500)
  expect(found).toBeLessThan(keys)
  await store.close()

  store = instances.open(least)
  await until('it is full again', () => isFull(store))
  expect(await expectRightAtItsPosition(instances, store)).toBeGreaterThanOrEqual(found)
  await store.close()

  store = instances.open({ ...least, MEMORY_MAX: '1G' })
  await instances.ready(store)
  await until('it has everything', () => store.status().details.every(({ lag }) => lag === 0))
  expect(await expectRightAtItsPosition(instances, store)).toBe(keys)
  await store.close()

  store = instances.open(least)
  const { code, message } = await soon('it is refused', store.failed)
  expect(code).toBe('memory_full')
  expect(message).toMatch(
    /^Starting store .*: 1800 entries of \d+ MiB need \d+ MiB with their index, and MEMORY_MAX=256M leaves \d+ MiB for them\. Raise MEMORY_MAX, .* to at least \d+M, or hold fewer partitions here$/,
  )
}, 60_000)
