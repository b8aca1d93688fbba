import { describe, expect, test } from 'bun:test'
import { observe } from '../../../lib/http/handler.ts'
import type { StatusEvent } from '../../../lib/http/status-events/status-event.ts'
import { StatusEvents } from '../../../lib/http/status-events/status-events.ts'
import type { StatusSource } from '../../../lib/http/status-events/status-source.ts'
import { FakeStore } from '../../support/http/fake-store.ts'

class CountingStore extends FakeStore {
  /** How often the status was made. */
  made = 0

  override status() {
    this.made++
    return super.status()
  }
}

function setUp() {
  const store = new CountingStore()
  const events = new StatusEvents(store, observe(store, '1.2.3'))
  store.made = 0
  return { store, events }
}

function textOf(source: StatusSource): string | undefined {
  const piece = source.read()
  return piece ? new TextDecoder().decode(piece) : undefined
}

function eventIn(text: string | undefined): StatusEvent {
  return JSON.parse(/^(?:retry: 2000\n)?event: status\ndata: (.*)\n\n$/.exec(text ?? '')?.[1] ?? '') as StatusEvent
}

describe('StatusEvents', () => {
  test('nothing is made without clients', () => {
    const { store, events } = setUp()
    for (let second = 0; second < 5; second++) events.tick()
    expect(store.made).toBe(0)
    const source = events.open()
    expect(store.made).toBe(1)
    source.cancel()
    // Within a second clients get the same event.
    events.open().cancel()
    expect(store.made).toBe(1)
    events.tick()
    events.tick()
    expect(store.made).toBe(1)
    events.open()
    expect(store.made).toBe(2)
  })

  test('the first event of a stream has the history, and the others do not', () => {
    const { events } = setUp()
    for (let second = 0; second < 4; second++) events.tick()
    const source = events.open()
    const first = textOf(source)
    expect(first).toStartWith('retry: 2000\nevent: status\n')
    expect(eventIn(first).history?.length).toBeGreaterThan(0)
    expect(source.read()).toBeUndefined()
    events.tick()
    const second = eventIn(textOf(source))
    expect(second).toMatchObject({ id: 'orders', state: 'running', version: '1.2.3' })
    expect(second).not.toHaveProperty('history')
  })

  test('all clients get one event, made once, each in memory of its own', () => {
    const { store, events } = setUp()
    const sources = Array.from({ length: 100 }, () => events.open())
    for (const source of sources) source.read()
    const woken = new Set<StatusSource>()
    for (const source of sources) source.ready = () => void woken.add(source)
    events.tick()
    const pieces = sources.map((source) => source.read()!)
    expect([store.made, woken.size]).toEqual([2, 100])
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(100)
    expect(new Set(pieces.map((piece) => Buffer.from(piece).toString())).size).toBe(1)
  })

  test('a slow client skips events', () => {
    const { store, events } = setUp()
    const source = events.open()
    source.read()
    for (const state of ['recovering', 'stopping', 'failed'] as const) {
      store.state.state = state
      events.tick()
    }
    expect(eventIn(textOf(source)).state).toBe('failed')
    expect(source.read()).toBeUndefined()
  })

  test('a stream ends when the server stops', () => {
    const { store, events } = setUp()
    const source = events.open()
    let isReady = false
    source.ready = () => void (isReady = true)
    source.end()
    expect([isReady, source.read()]).toEqual([true, null])
    events.tick()
    expect(store.made).toBe(1)
  })

  test('streams end when the status cannot be made', () => {
    const { store, events } = setUp()
    const sources = [events.open(), events.open()]
    store.status = () => {
      throw new RangeError('no such partition')
    }
    events.tick()
    expect(sources.map((source) => source.read())).toEqual([null, null])
    expect(() => events.open()).toThrow('no such partition')
  })

  test('the number of clients is bounded', () => {
    const { events } = setUp()
    const sources = Array.from({ length: 1_000 }, () => events.open())
    expect(() => events.open()).toThrow('Following the status: 1000 clients of this thread do so already')
    sources[0]!.cancel()
    sources[0]!.cancel()
    events.open()
    expect(() => events.open()).toThrow(expect.objectContaining({ code: 'waits_exhausted' }))
  })
})
