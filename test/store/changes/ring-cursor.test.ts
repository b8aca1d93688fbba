/** The change ring: what the store thread appends, against what a reader finds, with everything that is overwritten meanwhile. */
import { describe, expect, test } from 'bun:test'
import { keyBytesMax } from '../../../lib/store-protocol/change-ring.ts'
import { ChangeRingWriter } from '../../../lib/store-thread/changes/ring-writer.ts'
import { RingCursor } from '../../../lib/store/changes/ring-cursor.ts'
import { Random } from '../../support/random.ts'

const size = 65_536
const partitions = [3, 7]

interface Change {
  partition: number
  offset: number
  source: number
  key: string
  isDeletion: boolean
}

function start(positions = new Float64Array([100, 200])) {
  const writer = new ChangeRingWriter(size, partitions, positions)
  const append = ({ partition, offset, source, key, isDeletion }: Change) => {
    positions[partitions.indexOf(partition)] = offset + 1
    const bytes = Buffer.from(`..${key}`)
    writer.append(partition, offset, source, bytes, 2, bytes.length - 2, isDeletion)
  }
  return { writer, append, positions, cursor: new RingCursor(writer.shared) }
}

function take(cursor: RingCursor, from: number, to = cursor.published): Change[] {
  const found: Change[] = []
  cursor.open(from, to)
  while (cursor.next()) {
    const { partition, changelogOffset, sourceOffset, isDeletion, data, keyStart, keyLength } = cursor
    const key = data.toString('latin1', keyStart, keyStart + keyLength)
    found.push({ partition, offset: changelogOffset, source: sourceOffset, key, isDeletion })
  }
  return found
}

function change(offset: number, key: string, partition = 3): Change {
  return { partition, offset, source: offset + 5, key, isDeletion: offset % 3 === 0 }
}

describe('a change ring', () => {
  test('shows nothing before it is published, then all of it in order', () => {
    const { writer, append, cursor } = start()
    const changes = [change(100, 'a'), change(101, ''), change(200, 'bcdefghijklm', 7)]
    for (const one of changes) append(one)
    expect(take(cursor, 0)).toEqual([])
    writer.publish(writer.end)
    expect(take(cursor, 0)).toEqual(changes)
    expect(take(cursor, cursor.published)).toEqual([])
  })

  test('leaves out a key that is too long, and continues', () => {
    const { writer, append, cursor } = start()
    append(change(100, 'x'.repeat(keyBytesMax(size) + 1)))
    append(change(101, 'x'.repeat(keyBytesMax(size))))
    writer.publish(writer.end)
    expect(take(cursor, 0).map(({ offset, key }) => [offset, key.length])).toEqual([
      [100, 0],
      [101, keyBytesMax(size)],
    ])
    cursor.open(0, cursor.published)
    const isOmitted = () => cursor.next() && cursor.isOmitted
    expect([isOmitted(), isOmitted()]).toEqual([true, false])
  })

  test('laps a reader that is too slow, and one that reads while it is overwritten', () => {
    const { writer, append, cursor } = start()
    append(change(100, 'first'))
    writer.publish(writer.end)
    for (let offset = 101; writer.end < 2 * size; offset++) append(change(offset, `key ${offset}`))
    expect(take(cursor, 0)).toEqual([])
    expect(cursor.isLapped).toBe(true)
  })

  test('gives up everything when it begins again', () => {
    const { writer, append, cursor, positions } = start()
    append(change(100, 'a'))
    writer.publish(writer.end)
    positions.set([150, 250])
    writer.restart()
    expect(take(cursor, 0)).toEqual([])
    expect(cursor.isLapped).toBe(true)
    const after = (three: number, seven: number) =>
      cursor.startAfter(
        new Map([
          [3, three],
          [7, seven],
        ]),
      )
    expect([after(149, 250), after(150, 249)]).toEqual([undefined, undefined])
    const position = after(150, 250)!
    append(change(150, 'b'))
    writer.publish(writer.end)
    expect(take(cursor, position).map(({ key }) => key)).toEqual(['b'])
  })

  test('is complete from its start on, regardless of overwritten changes', () => {
    const random = Random.of('change ring')
    const seed = `LATCHKEY_SEED=${random.seed}`
    const { writer, append, cursor } = start()
    const written: Change[] = []
    const next = new Map([
      [3, 100],
      [7, 200],
    ])
    let at = 0
    let taken = 0
    let resumed = 0
    for (let round = 0; round < 2_000; round++) {
      for (let count = random.below(60); count > 0; count--) {
        const partition = partitions[random.below(2)]!
        const offset = next.get(partition)! + random.below(3)
        next.set(partition, offset + 1)
        const one = {
          ...change(offset, 'k'.repeat(random.below(random.below(10) === 0 ? 900 : 30)), partition),
          isDeletion: random.below(2) === 0,
        }
        append(one)
        written.push(one)
      }
      writer.publish(writer.end)
      if (random.below(4) === 0) {
        const found = take(cursor, at)
        if (!cursor.isLapped) expect(found, seed).toEqual(written.slice(taken))
        ;[at, taken] = [cursor.published, written.length]
      }
      if (round % 50 !== 0) continue
      // A reader that has seen some of what was written.
      const seen = written.length - random.below(2_000)
      const places = new Map(partitions.map((partition) => [partition, placeAfter(written.slice(0, seen), partition)]))
      const from = cursor.startAfter(places)
      if (from === undefined) continue
      resumed++
      const isNew = ({ partition, offset }: Change) => offset >= places.get(partition)!
      const found = take(cursor, from).filter(isNew)
      expect(cursor.isLapped).toBe(false)
      expect(found, seed).toEqual(written.filter(isNew))
    }
    expect(resumed).toBeGreaterThan(5)
  })
})

function placeAfter(changes: readonly Change[], partition: number): number {
  const last = changes.findLast((one) => one.partition === partition)
  return last === undefined ? 0 : last.offset + 1
}
