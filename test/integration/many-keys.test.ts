/**
 * Answers with many keys while the store ingests: each partition's part of an answer is what its records up to one offset make. Keys are
 * overwritten in a fixed order and a tenth is deleted by turns, so the newest record in an answer says what all others have to be.
 */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { ManyLookups } from '../../lib/store-protocol/reads.ts'
import type { Store } from '../../lib/store/store.ts'
import { keyCount, keyOf, operationOf, shownRecord } from '../support/map/fold/history.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const partitions = [0, 1, 2, 3]
const recordsPerRound = 250
const rounds = 40
const readsPerPoll = 5
/** Deletes show no record, so the newest record in an answer may be followed by some of them. */
const deletesMax = 10
const bytesMax = 1 << 24

const numbers = Array.from({ length: keyCount }, (_, number) => number)
const keys = partitions.flatMap((partition) => numbers.map((number) => Buffer.from(keyOf(partition, number))))

/** Offset of each key's record, by partition; undefined for keys that do not exist. */
function offsetsOf({ results }: ManyLookups): (number | undefined)[][] {
  const offsets = results.map((result) => {
    if (result instanceof LatchkeyError) throw result
    if (result === undefined) return undefined
    const written = Buffer.from(result.value).readInt32LE()
    if (written !== result.offset) throw new Error(`record ${result.offset} has the value of record ${written}`)
    return result.offset
  })
  return partitions.map((_, index) => offsets.slice(index * keyCount, (index + 1) * keyCount))
}

/** Returns the position whose fold these offsets are; undefined if there is none. */
function positionOf(offsets: readonly (number | undefined)[]): number | undefined {
  const newest = Math.max(-1, ...offsets.filter((offset) => offset !== undefined))
  const candidates = Array.from({ length: deletesMax }, (_, more) => newest + 1 + more)
  return candidates.find((position) => numbers.every((number) => offsets[number] === shownRecord(number, position)))
}

test.each([1, 2])(
  'each answer is the fold of records up to one offset, with %i store threads',
  async (storeThreads) => {
    await using fixture = await Fixture.create({ partitions: partitions.length })
    const store = fixture.open({ storeThreads, autoFlushCount: 100, autoFlushWhenIdle: true })
    await fixture.quiet(store)
    const positions = partitions.map(() => 0)
    let epoch = -1
    let answers = 0
    for (let round = 0; round < rounds; round++) {
      const first = round * recordsPerRound
      let isProduced = false
      const producing = fixture.produce(recordsFrom(first)).then(() => (isProduced = true))
      const isShown = () => positions.every((position) => position === first + recordsPerRound)
      await until(`round ${round} is shown`, () => {
        for (let i = 0; i < readsPerPoll; i++) read()
        return isProduced && isShown()
      })
      await producing
    }
    console.log(`many keys, ${storeThreads} store threads: ${answers} answers of ${keys.length} keys`)

    function read(): void {
      const many = lookUp(store)
      answers++
      expect(many.epoch).toBeGreaterThanOrEqual(epoch)
      const isSameEpoch = many.epoch === epoch
      epoch = many.epoch
      for (const [partition, offsets] of offsetsOf(many).entries()) {
        const position = positionOf(offsets)
        if (position === undefined) throw new Error(`no fold of partition ${partition}: ${offsets.join(', ')}`)
        expect(position).toBeGreaterThanOrEqual(positions[partition]!)
        if (isSameEpoch) expect(position).toBe(positions[partition]!)
        positions[partition] = position
      }
    }
  },
)

function lookUp(store: Store): ManyLookups {
  const many = store.getMany(keys, bytesMax)
  if (many instanceof Promise) throw new Error('no reader was free, although nothing else reads')
  return many
}

function recordsFrom(first: number) {
  return partitions.flatMap((partition) =>
    Array.from({ length: recordsPerRound }, (_, i) => {
      const record = first + i
      const { key, isDelete } = operationOf(partition, record)
      const value = Buffer.alloc(4)
      value.writeInt32LE(record)
      return { partition, key, value: isDelete ? null : value }
    }),
  )
}
