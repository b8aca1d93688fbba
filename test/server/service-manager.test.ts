import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { reportToServiceManager } from '../../lib/server/service-manager.ts'
import type { StoreStatus } from '../../lib/store-protocol/status.ts'
import { DatagramSocket } from '../support/process/datagram-socket.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

let folder: string
let socket: DatagramSocket

beforeEach(() => {
  folder = temporaryFolder('service-manager')
  socket = new DatagramSocket(join(folder, 'socket'))
})

afterEach(() => {
  socket.close()
  rmSync(folder, { recursive: true })
})

/** A store whose state a test sets. */
class FakeStore {
  #listener = () => {}
  found = statusOf({
    state: 'starting',
    conditions: [{ name: 'recovered', ok: false, reason: 'the store is starting' }],
  })

  status(): StoreStatus {
    return this.found
  }

  onState(listener: () => void): () => void {
    this.#listener = listener
    return () => {}
  }

  becomes(found: Partial<StoreStatus>): void {
    this.found = statusOf(found)
    this.#listener()
  }
}

function statusOf(found: Partial<StoreStatus>): StoreStatus {
  const conditions = [{ name: 'recovered', ok: true }]
  return { state: 'running', conditions, recovery: null, details: [], ...found } as unknown as StoreStatus
}

test('a start is extended while the store recovers, ends once when it is ready, and the stop is reported', () => {
  const store = new FakeStore()
  const reports = reportToServiceManager(store, join(folder, 'socket'))
  const progress = { phase: 'recovering', percent: 41.7, remainingSeconds: 3 } as StoreStatus['recovery']
  store.becomes({ state: 'recovering', recovery: progress })
  store.becomes({})
  store.becomes({})
  store.becomes({ details: [{ entries: 5 }] as StoreStatus['details'] })
  reports.end()
  expect(socket.received()).toEqual([
    'STATUS=Not ready: the store is starting\nEXTEND_TIMEOUT_USEC=60000000',
    'STATUS=Recovering: 41 %, 3 s left\nEXTEND_TIMEOUT_USEC=60000000',
    'STATUS=Ready: 0 keys\nREADY=1',
    'STATUS=Ready: 5 keys',
    'STOPPING=1\nSTATUS=Stopping',
  ])
})

test('a store that is not ready any more says so, and is not started again', () => {
  const store = new FakeStore()
  store.found = statusOf({})
  reportToServiceManager(store, join(folder, 'socket'))
  store.becomes({ conditions: [{ name: 'not_fenced', ok: false, reason: 'partition 3 is fenced\nREADY=1' }] })
  expect(socket.received()).toEqual([
    'STATUS=Ready: 0 keys\nREADY=1',
    'STATUS=Not ready: partition 3 is fenced READY=1',
  ])
})

test('without a service manager nothing is reported', () => {
  reportToServiceManager(new FakeStore(), undefined).end()
  reportToServiceManager(new FakeStore(), '').end()
  reportToServiceManager(new FakeStore(), '/nowhere/socket').end()
  expect(socket.received()).toEqual([])
})

test('a reload is reported with its time, and only once the store was ready', () => {
  const store = new FakeStore()
  const reports = reportToServiceManager(store, join(folder, 'socket'))
  reports.reloading()
  reports.reloaded()
  expect(socket.received().join('\n')).not.toMatch(/RELOADING|READY/)
  store.becomes({})
  const reported = socket.received().length
  const before = uptimeMicroseconds()
  reports.reloading()
  reports.reloaded()
  const [first, last, ...others] = socket.received().slice(reported)
  expect([last, ...others]).toEqual(['READY=1'])
  const time = Number(/^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(first!)?.[1])
  // This machine may have been suspended, which the uptime counts.
  expect(time).toBeGreaterThan(0)
  expect(time).toBeLessThanOrEqual(before + 60_000_000)
})

test('a stop with a delay is reported at its beginning, with the time that it may take', () => {
  const reports = reportToServiceManager(new FakeStore(), join(folder, 'socket'))
  const reported = socket.received().length
  reports.leaving(10)
  reports.reloading()
  reports.end()
  expect(socket.received().slice(reported)).toEqual([
    'STOPPING=1\nSTATUS=Answers for 10 s more, then stops\nEXTEND_TIMEOUT_USEC=40000000',
    'STOPPING=1\nSTATUS=Stopping',
  ])
})

function uptimeMicroseconds(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e6
}
