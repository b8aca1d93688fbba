import { describe, expect, test } from 'bun:test'
import type { groupDefinitions } from '../../lib/config/definitions/group.ts'
import type { SettingKey } from '../../lib/config/settings.ts'
import { LatchkeyError, type OpenOptions, openStore, serve } from '../../lib/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import orders from './examples/orders.ts'

function optionsOf({ source, cluster }: Fixture): OpenOptions {
  return { sourceTopic: source, kafkaBrokers: cluster.broker.bootstrap }
}

function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: LatchkeyError) => error.code,
  )
}

/** Settings that are no options, though they are not of the executable alone. */
type Missing = Exclude<
  SettingKey,
  | keyof OpenOptions
  | `server${string}`
  | `http${string}`
  | `resp${string}`
  | 'corsOrigins'
  | 'shutdownDelay'
  | 'storeModule'
  | keyof typeof groupDefinitions
>
const missing: [Missing] extends [never] ? 'none' : Missing = 'none'

describe('openStore', () => {
  test('values are those of the definition when there is one', async () => {
    await using fixture = await Fixture.create({ partitions: 2 })
    await fixture.produce([
      { key: 'a', value: '{"status":"open","cents":1}' },
      { key: 'b', value: 'no JSON' },
    ])
    await using store = openStore(optionsOf(fixture), orders)
    await store.ready
    expect(store.state).toBe('running')
    expect(store.id).toBe(fixture.source)
    expect(store.size).toBe(1)
    expect(await store.get('a')).toEqual({ status: 'open', cents: 1 })
    expect(await store.has('b')).toBe(false)
    await store.put('c', { status: 'paid', cents: 2 })
    await store.delete('a')
    await store.flush()
    expect(await store.get('a')).toBeUndefined()
    expect(await store.find('c')).toMatchObject({ value: { status: 'paid', cents: 2 }, offset: -1, headers: [] })
    using reader = store.reader()
    expect(reader.get('c')?.status satisfies string | undefined).toBe('paid')
    const handler = serve(store)
    const response = await handler(new Request(`http://localhost/stores/${store.id}/c`))
    expect(await response.json()).toEqual({ status: 'paid', cents: 2 })
    expect(await store.metrics.render()).toContain('latchkey_lookups_total{outcome="found"} 1')
  })

  test('keys and values are bytes when there is no definition', async () => {
    await using fixture = await Fixture.create({ partitions: 2 })
    await fixture.produce([{ key: 'a', value: 'x' }])
    await using store = openStore(optionsOf(fixture))
    await store.ready
    expect(await store.get('a')).toEqual(new Uint8Array(Buffer.from('x')))
    await store.put(new Uint8Array([0xff, 0]), new Uint8Array([1, 2]))
    await store.flush()
    expect(await store.get(new Uint8Array([0xff, 0]))).toEqual(new Uint8Array([1, 2]))
  })

  test('states are reported until no listener is left, and lookups are refused after close', async () => {
    await using fixture = await Fixture.create()
    const store = openStore(optionsOf(fixture))
    const states: string[] = []
    const few: string[] = []
    store.onState((state) => states.push(state))
    const stop = store.onState((state) => {
      few.push(state)
      stop()
    })
    expect(store.state).toBe('starting')
    await store.ready
    using reader = store.reader()
    await store.close()
    await store.close()
    expect(states).toEqual(['recovering', 'running', 'stopping'])
    expect(few).toEqual(['recovering'])
    expect(await codeOf(store.get('a'))).toBe('stopping')
    expect(await codeOf(store.put('a', new Uint8Array()))).toBe('stopping')
    expect(await codeOf(store.flush())).toBe('stopping')
    expect(() => reader.get('a')).toThrow(LatchkeyError)
  })

  test('ready rejects with what failed when the topic does not exist', async () => {
    await using fixture = await Fixture.create()
    await using store = openStore({ ...optionsOf(fixture), sourceTopic: `${fixture.source}-none` })
    expect(await codeOf(store.ready)).toBe('topics_unfit')
    expect((await store.failed).message).toContain(`${fixture.source}-none`)
    expect(store.state).toBe('failed')
    expect(await codeOf(store.get('a'))).toBe('store_failed')
    await using closed = openStore(optionsOf(fixture))
    await closed.close()
    expect(await codeOf(closed.ready)).toBe('stopping')
  })

  test('every setting but those of the executable is an option', () => {
    expect(missing).toBe('none')
  })

  test('all faults are reported together, by the names of options', () => {
    const options = {
      kafkaBrokers: '',
      autoFlushCount: 0,
      sourceTopc: 'a',
      useReplicaOnly: true,
    } as unknown as OpenOptions
    const opened = () => openStore(options)
    expect(opened).toThrow(LatchkeyError)
    expect(opened).toThrow('Opening a store: 4 faults found in its options')
    expect(opened).toThrow('sourceTopc: unknown option; did you mean sourceTopic?')
    expect(opened).toThrow('autoFlushCount="0": it must be a whole number from 1 to')
  })
})
