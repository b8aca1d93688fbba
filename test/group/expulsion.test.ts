import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { Expulsions } from '../../lib/group/expulsion.ts'
import { isRefused } from '../../lib/group/refused.ts'

const [own, other] = ['a', 'b'].map((name) => ({ memberId: name, id: `i${name}`, url: `http://${name}:80` })) as [
  Peer,
  Peer,
]
interface Peer {
  memberId: string
  id: string
  url: string
}

class Harness {
  nowMs = 1_000
  refuses = true
  readonly expelled: string[] = []
  readonly asked: string[] = []
  /** Happens between the refusal and its confirmation. */
  meanwhile = () => {}
  expel = async (memberId: string) => {
    this.expelled.push(memberId)
  }

  suspicions = 0

  readonly expulsions = new Expulsions({
    suspected: () => this.suspicions++,
    isRefused: async (url) => {
      this.asked.push(url)
      return this.refuses
    },
    expel: (memberId) => this.expel(memberId),
    nowMs: () => this.nowMs,
    sleep: async (ms) => {
      this.nowMs += ms
      this.meanwhile()
    },
  })

  constructor(members: readonly Peer[] = [own, other]) {
    this.expulsions.planned(members, own.memberId)
  }
}

test('a member that refuses two connections 250 ms apart is removed', async () => {
  const harness = new Harness()
  harness.expulsions.reached(other.memberId, other.url)
  await harness.expulsions.suspect(other.memberId)
  expect(harness).toMatchObject({ expelled: [other.memberId], asked: [other.url], nowMs: 1_250, suspicions: 1 })
  await harness.expulsions.suspect(other.memberId)
  expect(harness.suspicions).toBe(1)
})

test('a member that listens again after 250 ms stays', async () => {
  const harness = new Harness()
  harness.expulsions.reached(other.memberId, other.url)
  harness.refuses = false
  await harness.expulsions.suspect(other.memberId)
  expect(harness).toMatchObject({ expelled: [], asked: [other.url] })
})

test('only a member that was reached under this id and at this URL is removed', async () => {
  const harness = new Harness()
  const { expulsions } = harness
  await expulsions.suspect(other.memberId)
  expulsions.reached(other.memberId, 'http://elsewhere:80')
  expulsions.reached('unknown', other.url)
  await expulsions.suspect(other.memberId)
  await expulsions.suspect('unknown')
  expulsions.reached(other.memberId, other.url)
  // Another life of the instance at this URL, and another URL of this member.
  expulsions.planned([own, { ...other, memberId: 'later' }], own.memberId)
  await expulsions.suspect('later')
  expulsions.planned([own, { ...other, url: 'http://elsewhere:80' }], own.memberId)
  await expulsions.suspect(other.memberId)
  expect(harness).toMatchObject({ expelled: [], asked: [] })
})

test('a plan that comes before the confirmation keeps what was reached, and a member that has left it is not removed', async () => {
  const harness = new Harness()
  const { expulsions } = harness
  expulsions.reached(other.memberId, other.url)
  harness.meanwhile = () => expulsions.planned([own], own.memberId)
  await expulsions.suspect(other.memberId)
  expect(harness.expelled).toEqual([])
  expulsions.planned([own, other], own.memberId)
  expulsions.reached(other.memberId, other.url)
  harness.meanwhile = () => expulsions.planned([own, { ...other }], own.memberId)
  await expulsions.suspect(other.memberId)
  expect(harness.expelled).toEqual([other.memberId])
})

test('an instance is removed once a minute at most, also under another member id', async () => {
  const harness = new Harness()
  const { expulsions } = harness
  const again = { ...other, memberId: 'again' }
  expulsions.reached(other.memberId, other.url)
  await expulsions.suspect(other.memberId)
  const expelledAtMs = harness.nowMs
  expulsions.planned([own, again], own.memberId)
  expulsions.reached(again.memberId, again.url)
  harness.nowMs = expelledAtMs + 59_000
  expulsions.planned([own, again], own.memberId)
  await expulsions.suspect(again.memberId)
  expect(harness.expelled).toEqual([other.memberId])
  harness.nowMs = expelledAtMs + 60_000
  await expulsions.suspect(again.memberId)
  expect(harness.expelled).toEqual([other.memberId, again.memberId])
})

test('many refusals at one time are confirmed once', async () => {
  const harness = new Harness()
  harness.expulsions.reached(other.memberId, other.url)
  await Promise.all([1, 2, 3].map(() => harness.expulsions.suspect(other.memberId)))
  expect(harness).toMatchObject({ expelled: [other.memberId], asked: [other.url] })
})

test('a removal that the coordinator refuses or does not answer ends the matter', async () => {
  const harness = new Harness()
  harness.expulsions.reached(other.memberId, other.url)
  harness.expel = async (memberId) => {
    harness.expelled.push(memberId)
    throw new LatchkeyError('broker_refused', 'Removing member b from group g: UNKNOWN_MEMBER_ID')
  }
  await harness.expulsions.suspect(other.memberId)
  expect(harness.expelled).toEqual([other.memberId])
})

test('a port that nothing listens at is refused; one that accepts, and a host that is unknown, are not', async () => {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const url = `http://127.0.0.1:${server.port}/path`
  expect(await isRefused(url)).toBe(false)
  server.stop(true)
  expect(await isRefused(url)).toBe(true)
  expect(await isRefused('http://no-such-host.invalid:80')).toBe(false)
})
