import { expect, test } from 'bun:test'
import { ForwardedLookup, type ForwarderOptions } from '../../lib/routing/forwarded-lookup.ts'
import type { Peer } from '../../lib/routing/peer.ts'

class FakePeers {
  readonly asked: string[] = []
  readonly silent = new Set<string>()
  readonly #candidates: readonly string[]

  constructor(candidates: readonly string[]) {
    this.#candidates = candidates
  }

  get options(): ForwarderOptions {
    const table = { candidates: () => this.#candidates, isSelf: () => false }
    return { table, peers: { of: (memberId: string) => this.#peer(memberId) } } as unknown as ForwarderOptions
  }

  #peer(memberId: string): Peer {
    return {
      get: () => this.asked.push(memberId),
      isSilent: () => this.silent.has(memberId),
      // Its answers have taken that long before.
      breaker: { hedgeMs: 1_000 },
    } as unknown as Peer
  }
}

test('a lookup asks the next copy as soon as the one that it waits for is silent, and each once', () => {
  const peers = new FakePeers(['a', 'b', 'c'])
  const target = { key: Buffer.from('key'), partition: 0, maxLag: undefined }
  const lookup = new ForwardedLookup(peers.options, target, () => {})
  lookup.begin()
  lookup.tick(performance.now())
  expect(peers.asked).toEqual(['a'])
  peers.silent.add('a')
  for (let tick = 0; tick < 3; tick++) lookup.tick(performance.now())
  expect(peers.asked).toEqual(['a', 'b'])
  peers.silent.add('b').add('c')
  for (let tick = 0; tick < 3; tick++) lookup.tick(performance.now())
  expect(peers.asked).toEqual(['a', 'b', 'c'])
})
