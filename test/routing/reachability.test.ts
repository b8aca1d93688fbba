import { expect, test } from 'bun:test'
import { type PeerState, PeerWatch } from '../../lib/routing/index.ts'
import { responseOf, startFakePeer } from '../support/routing/fake-peer.ts'
import { type Instance, plan, startInstance } from '../support/routing/instances.ts'
import { until } from '../support/until.ts'

interface Watching extends Disposable {
  readonly watch: PeerWatch
  readonly states: PeerState[]
}

function watch(instance: Instance): Watching {
  const states: PeerState[] = []
  const peers = new PeerWatch(instance.routing.peers, (state) => void states.push(state))
  return { watch: peers, states, [Symbol.dispose]: () => peers.close() }
}

const holders = [['a'], ['b'], ['a'], ['b']]

test('instances that reach each other say so', async () => {
  await using a = startInstance('a', { token: 'a token' })
  await using b = startInstance('b', { token: 'a token' })
  plan([a, b], holders)
  using watching = watch(a)
  await until('it is reached', () => watching.states.at(-1)?.isReachable === true)
  expect(watching.watch.states.get('member-b')).toEqual({ isReachable: true })
  expect(watching.states).toHaveLength(1)
})

test('an instance with a wrong URL is the one that is not reached, and the cause is named', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  b.url = 'http://127.0.0.1:1'
  plan([a, b], holders)
  using ofA = watch(a)
  using ofB = watch(b)
  await until('its own state is known', () => ofB.states.length > 0)
  expect(ofB.states).toEqual([
    {
      isReachable: false,
      reason: `${a.url} does not reach this instance at http://127.0.0.1:1: the connection was refused`,
    },
  ])
  await until('the other one knows it', () => ofA.watch.states.get('member-b')?.isReachable === false)
  expect(ofA.watch.states.get('member-b')).toEqual({ isReachable: false, reason: 'the connection was refused' })
  // The only one that could say so does not answer.
  expect(ofA.states).toEqual([])
})

test('an instance with the URL of a load balancer, which leads to another one, is named', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  b.url = a.url
  plan([a, b], holders)
  using ofB = watch(b)
  await until('its own state is known', () => ofB.states.length > 0)
  expect(ofB.states[0]!.isReachable).toBe(false)
  expect(ofB.states[0]!.reason).toEndWith('another instance, a, answers at its URL')
})

test('an instance that refuses the name of its URL is named', async () => {
  const detail = 'Checking the Host of the request: "b.example" is not an address; list it in SERVER_HOSTS'
  const problem = JSON.stringify({ code: 'host_not_allowed', detail })
  using refusing = startFakePeer(
    (socket) => void socket.write(responseOf(problem, 'application/problem+json', '421 x')),
  )
  await using a = startInstance('a')
  await using b = startInstance('b')
  b.url = refusing.url
  plan([a, b], holders)
  using ofB = watch(b)
  await until('its own state is known', () => ofB.states.length > 0)
  expect(ofB.states[0]!.reason).toContain(detail)
})

test('one of two tokens: the instance in question is not reached', async () => {
  await using a = startInstance('a', { token: 'a token' })
  await using b = startInstance('b', { token: 'another token' })
  plan([a, b], holders)
  using ofA = watch(a)
  await until('the other one is known', () => ofA.watch.states.get('member-b')?.isReachable === false)
  expect(ofA.watch.states.get('member-b')!.reason).toContain('signed with another SERVER_TOKEN')
})

test('a member is tried at the URL of the group only, and once a second at most', async () => {
  using tap = startFakePeer()
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], holders, [tap])
  const answers = await Promise.all(Array.from({ length: 50 }, () => b.routing.peers.of('member-a')!.probe()))
  expect(answers).toEqual(Array.from({ length: 50 }, () => [{ type: 'reached', isReached: true, said: '' }]))
  expect(tap.received()).toBe('')
})

test('an instance whose peers do not know it yet is neither reached nor not', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], holders)
  plan([a], holders)
  expect(await b.routing.peers.of('member-a')!.probe()).toEqual([{ type: 'reached', isReached: null, said: '' }])
})
