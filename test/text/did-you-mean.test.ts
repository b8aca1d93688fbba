/** Names that were probably meant: found after any edits that are few enough, and after no others. */
import { expect, test } from 'bun:test'
import { nearName } from '../../lib/text/did-you-mean.ts'
import { Random } from '../support/random.ts'

const known = ['SOURCE_TOPIC', 'KAFKA_BROKERS', 'STORE_ID', 'SERVER_PORT', 'SNAPSHOT_DIR', 'HTTP_THREADS']
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ_'

/** Makes one edit at any place: a letter is wrong, missing or extra. */
function edited(name: string, random: Random): string {
  const at = random.below(name.length - 1)
  const letter = letters[random.below(letters.length)]!
  const before = name.slice(0, at)
  const edits = [before + letter + name.slice(at + 1), before + name.slice(at + 1), before + letter + name.slice(at)]
  return edits[random.below(edits.length)]!
}

function swapped(name: string, random: Random): string {
  const at = random.below(name.length - 1)
  return name.slice(0, at) + name[at + 1]! + name[at]! + name.slice(at + 2)
}

test('a name with one or two edits is found', () => {
  const random = Random.of('did-you-mean')
  for (let round = 0; round < 2_000; round++) {
    const name = known[round % known.length]!
    const swap = swapped(name, random)
    expect([swap, nearName(swap, known)]).toEqual([swap, name])
    const once = edited(name, random)
    expect([once, nearName(once, known)]).toEqual([once, name])
    const twice = edited(once, random)
    if (twice.length >= 8) expect([twice, nearName(twice, known)]).toEqual([twice, name])
  }
})

test('a name with other letters, or other letters at three places, is not found', () => {
  expect(nearName('SHELL', known)).toBeUndefined()
  expect(nearName('SXURXE_TOPXC', known)).toBeUndefined()
  expect(nearName('CIPOT_ECRUOS', known)).toBeUndefined()
  expect(nearName('ID', known)).toBeUndefined()
})

test('the nearest of several names is found', () => {
  expect(nearName('SERVER_PORTS', ['SERVER_PARTS', 'SERVER_PORT', 'SERVER_BORTS'])).toBe('SERVER_PARTS')
  expect(nearName('SERVER_POST', ['SERVER_PAAT', 'SERVER_PORT'])).toBe('SERVER_PORT')
})
