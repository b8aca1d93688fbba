import { describe, expect, test } from 'bun:test'
import type { StoreState } from '../../lib/store-protocol/status.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'

describe.each(['/livez', '/status/liveness'])('GET %s', (path) => {
  test.each(['starting', 'recovering', 'running', 'stopping', 'failed'] satisfies StoreState[])(
    'it is alive when the store is %s',
    async (state) => {
      await using served = serveFake()
      served.store.state.state = state
      const response = await fetch(served.url + path)
      expect([response.status, await response.text()]).toEqual([200, 'alive\n'])
    },
  )
})

describe.each(['/readyz', '/status/readiness'])('GET %s', (path) => {
  test('it is ready when all conditions hold', async () => {
    await using served = serveFake()
    const response = await fetch(served.url + path)
    expect([response.status, await response.text()]).toEqual([200, 'ready\n'])
  })

  test('503 names the failing conditions when some do not hold', async () => {
    await using served = serveFake()
    served.store.state.conditions = [
      { name: 'recovered', ok: true },
      { name: 'caught_up', ok: false, reason: '7 records to go' },
      { name: 'not_fenced', ok: false },
    ]
    const response = await fetch(served.url + path)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await problemOf(response)).toMatchObject({
      code: 'not_ready',
      detail: 'Checking readiness: caught_up (7 records to go), not_fenced',
      conditions: [{ name: 'caught_up', reason: '7 records to go' }, { name: 'not_fenced' }],
    })
  })

  test('a reason stays in its line', async () => {
    await using served = serveFake()
    served.store.state.conditions = [
      { name: 'reachable', ok: false, reason: 'http://b:1: \u001b[2J\n[+]reachable ok\nready' },
    ]
    const text = await (await fetch(`${served.url}${path}?verbose`)).text()
    expect(text).toBe('[-]reachable http://b:1: \\u001b[2J\\n[+]reachable ok\\nready\nnot ready\n')
  })

  test('it is not ready when the store does not run, for any conditions', async () => {
    await using served = serveFake()
    served.store.state.state = 'stopping'
    expect(await problemOf(await fetch(served.url + path))).toMatchObject({
      status: 503,
      conditions: [{ name: 'running', reason: 'the store is stopping' }],
    })
  })

  test('each condition has a line when ?verbose is given', async () => {
    await using served = serveFake()
    const ready = await fetch(`${served.url}${path}?verbose`)
    expect([ready.status, await ready.text()]).toEqual([200, '[+]recovered ok\n[+]caught_up ok\nready\n'])
    served.store.state.conditions[0] = { name: 'memory', ok: true, reason: 'memory is full' }
    const full = await fetch(`${served.url}${path}?verbose`)
    expect([full.status, await full.text()]).toEqual([200, '[+]memory memory is full\n[+]caught_up ok\nready\n'])
    served.store.state.conditions[0] = { name: 'recovered', ok: true }
    served.store.state.conditions[1] = { name: 'caught_up', ok: false, reason: '7 records to go' }
    const notReady = await fetch(`${served.url}${path}?verbose=1`)
    const text = '[+]recovered ok\n[-]caught_up 7 records to go\nnot ready\n'
    expect([notReady.status, await notReady.text()]).toEqual([503, text])
  })
})
