import { expect, test } from 'bun:test'
import { hedged } from '../../../lib/kafka/connection/hedged.ts'

/** Peers that answer when the test lets them. */
function peersOf(...names: string[]) {
  const asked: string[] = []
  const answers = new Map(names.map((name) => [name, Promise.withResolvers<string>()]))
  const ask = (name: string) => {
    asked.push(name)
    return answers.get(name)!.promise
  }
  return { names, asked, ask, answer: (name: string) => answers.get(name)!.resolve(name), answers }
}

const neverMs = 1_000_000

test('hedged asks no other peer while the first answers in time', async () => {
  const { names, asked, ask, answer } = peersOf('a', 'b')
  const found = hedged(names, ask, neverMs)
  answer('a')
  expect([await found, asked]).toEqual(['a', ['a']])
})

test('hedged asks the next peer when there is no answer in time, reports it, and takes the first answer', async () => {
  const { names, asked, ask, answer } = peersOf('a', 'b', 'c')
  const late: string[] = []
  const found = hedged(names, ask, 1, (peer) => {
    late.push(peer)
    if (peer === 'b') answer('a')
  })
  expect(await found).toBe('a')
  expect([late, asked.slice(0, 2)]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})

test('hedged rejects at once with a failure, and with the last one where several were asked', async () => {
  const first = peersOf('a', 'b')
  first.answers.get('a')!.reject(new Error('no'))
  expect(await hedged(first.names, first.ask, neverMs).catch(String)).toBe('Error: no')
  expect(first.asked).toEqual(['a'])

  const both = peersOf('a', 'b')
  const failed = hedged(both.names, both.ask, 1, (peer) => {
    both.answers.get(peer)!.reject(new Error(`${peer} failed`))
  })
  expect(await failed.catch(String)).toBe('Error: b failed')
})
