/** Writes of a program while the group gives partitions to its instance. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import type { Assignment } from '../../lib/store/assignment.ts'
import type { StoreThreads } from '../../lib/store/store-threads.ts'
import { Writes } from '../../lib/store/writes.ts'
import { until } from '../support/until.ts'

const url = 'http://10.0.0.2:8080'

function start(isElsewhere: boolean, refused?: LatchkeyError) {
  const written: string[] = []
  const write = (partition: number, key: Uint8Array) => {
    written.push(`${partition} ${Buffer.from(key).toString()}`)
    return refused === undefined ? Promise.resolve() : Promise.reject(refused)
  }
  const handle = { state: 'running', fenced: new Map(), recordBytesMax: 1_000, writes: { write } }
  const group = { complete: [true], owners: [url], isElsewhere: [isElsewhere] }
  const replica: Assignment = { primaries: [], replicas: [0], partitionCount: 1, group }
  const threads = { assignment: replica, all: [handle], full: undefined, ownerOf: () => handle }
  const config = { storeId: 'orders', elastic: {} } as StoreConfig
  const writes = new Writes(config, threads as unknown as StoreThreads)
  const put = (key: string) => writes.write(Buffer.from(key), Buffer.from('value'), 0)
  const take = () => (threads.assignment = { ...replica, primaries: [0], replicas: [] })
  const lose = () => (threads.assignment = { ...replica, group: { ...group, isElsewhere: [true] } })
  return { written, put, take, lose }
}

test('a write waits for the promotion of its partition, and keeps its place before later ones', async () => {
  const { written, put, take } = start(false)
  const first = put('first')
  const second = put('second')
  take()
  const third = put('third')
  await Promise.all([first, second, third])
  await put('fourth')
  expect(written).toEqual(['0 first', '0 second', '0 third', '0 fourth'])
})

test('a write to a partition of another instance is refused at once, with its URL', async () => {
  const { put } = start(true)
  await expect(put('key')).rejects.toMatchObject({ code: 'partition_not_held', details: { partition: 0, url } })
})

test('a promotion that does not end is waited for within a bound', async () => {
  const { put } = start(false)
  let error: unknown
  put('key').catch((thrown: unknown) => (error = thrown))
  await until('it to be refused', () => error !== undefined)
  expect(error).toMatchObject({ code: 'partition_not_held', details: { url } })
})

test('a write that was under way when its partition was lost has the URL of the new primary, once that is known', async () => {
  const message = 'Writing to store orders: partition 0 is a replica here now. Write to its primary'
  const { put, take, lose } = start(false, new LatchkeyError('partition_not_held', message))
  take()
  const known = put('key')
  lose()
  await expect(known).rejects.toMatchObject({ details: { partition: 0, url }, message: `${message}: ${url}` })
  take()
  await expect(put('key')).rejects.toMatchObject({ details: { partition: 0 }, message })
})

test('other refusals of the store thread stay as they are', async () => {
  const refused = new LatchkeyError('entry_too_large', 'Writing: too large')
  const { put, take } = start(false, refused)
  take()
  await expect(put('key')).rejects.toBe(refused)
})
