/** What further HTTP threads hear of the store threads through the main one, and what they say to them. */
import { describe, expect, test } from 'bun:test'
import { Relay } from '../../lib/server/relay.ts'
import { RelayedThreads } from '../../lib/server/relayed-threads.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import type { FromThread, ToThread } from '../../lib/store-protocol/thread-messages.ts'
import type { StoreAccess, StorePortEvents } from '../../lib/store/store-port.ts'

const config = {} as StoreConfig
const logging = { level: 'error', structured: false } as const
const state = (name: 'recovering' | 'running'): FromThread => ({ type: 'state', state: name })

/** A relay over store threads that are the test. */
function start(expected: number, threads = 1) {
  const said: { thread: number; message: ToThread }[] = []
  const heard: { thread: number; message: FromThread }[] = []
  const events: StorePortEvents[] = []
  const own: StoreAccess = {
    readerThread: 0,
    open(_, __, opened) {
      const thread = events.push(opened) - 1
      return { post: (message) => void said.push({ thread, message }), terminate: () => {} }
    },
  }
  const relay = new Relay(expected, own)
  for (let thread = 0; thread < threads; thread++) {
    const received = (message: FromThread) => void heard.push({ thread, message })
    relay.access.open(config, logging, { received, ended: () => {} })
  }
  const emit = (message: FromThread, thread = 0) => events[thread]!.received(message)
  return { relay, said, heard, emit }
}

function listener() {
  const heard: { thread: number; message: FromThread }[] = []
  return { heard, receive: (thread: number, message: FromThread) => void heard.push({ thread, message }) }
}

describe('Relay', () => {
  test('each listener receives all messages, in order, whenever it joins', () => {
    const { relay, heard, emit } = start(2, 2)
    const [first, second] = [listener(), listener()]
    emit(state('recovering'))
    relay.join(first.receive, 1)
    emit(state('recovering'), 1)
    emit(state('running'))
    relay.join(second.receive, 2)
    emit({ type: 'caught-up' }, 1)
    const all = [
      { thread: 0, message: state('recovering') },
      { thread: 1, message: state('recovering') },
      { thread: 0, message: state('running') },
      { thread: 1, message: { type: 'caught-up' } },
    ]
    for (const { heard: received } of [first, second, { heard }]) expect(received).toEqual(all as typeof heard)
  })

  test('only the main thread receives its messages', () => {
    const { relay, heard, emit } = start(1)
    const { heard: received, receive } = listener()
    relay.join(receive, 1)
    const ownAlone: FromThread[] = [
      { type: 'flushed', id: 1, operations: 1 },
      { type: 'flush-failed', id: 2, error: { code: 'recovering', message: 'no' } },
      { type: 'closed' },
    ]
    for (const message of ownAlone) emit(message)
    expect(heard.map(({ message }) => message)).toEqual(ownAlone)
    expect(received).toEqual([])
  })

  test('each flush is answered to its sender, for any ids', () => {
    const { relay, said, heard, emit } = start(2)
    const [first, second] = [listener(), listener()]
    for (const { receive } of [first, second]) {
      relay.join(receive, 1)
      relay.post(receive, 0, { type: 'flush', id: 7 })
    }
    const ids = said.map(({ message }) => (message as { id: number }).id)
    expect(new Set([...ids, 7]).size).toBe(3)
    emit({ type: 'flush-failed', id: ids[1]!, error: { code: 'recovering', message: 'no' } })
    emit({ type: 'flushed', id: ids[0]!, operations: 5 })
    emit({ type: 'flushed', id: 7, operations: 6 })
    expect(first.heard).toEqual([{ thread: 0, message: { type: 'flushed', id: 7, operations: 5 } }])
    expect(second.heard).toMatchObject([{ message: { type: 'flush-failed', id: 7 } }])
    expect(heard).toEqual([{ thread: 0, message: { type: 'flushed', id: 7, operations: 6 } }])
  })

  test('confirmations reach their thread, and nothing else does', () => {
    const { relay, said } = start(1, 2)
    const { receive } = listener()
    const confirmed: ToThread = { type: 'confirmed', readerThread: 1, version: 3 }
    relay.post(receive, 1, confirmed)
    relay.post(receive, 0, { type: 'close' })
    relay.post(receive, 9, confirmed)
    expect(said).toEqual([{ thread: 1, message: confirmed }])
  })
})

test('a store in a further thread receives and sends through the main one, by the order of its threads', () => {
  const said: { thread: number; message: ToThread }[] = []
  const threads = new RelayedThreads(2, (thread, message) => void said.push({ thread, message }))
  const heard: string[] = []
  const ports = ['a', 'b'].map((name) => {
    return threads.open(config, logging, {
      received: ({ type }) => void heard.push(`${name} ${type}`),
      ended: () => {},
    })
  })
  threads.received(1, state('running'))
  threads.received(0, { type: 'caught-up' })
  threads.received(2, state('running'))
  ports[1]!.post({ type: 'flush', id: 1 })
  expect(heard).toEqual(['b state', 'a caught-up'])
  expect(said).toEqual([{ thread: 1, message: { type: 'flush', id: 1 } }])
  expect(threads.readerThread).toBe(2)
})
