/** The account of segments, beside a model: what was handed out, what is free of it, and what was given back. */
import { expect, test } from 'bun:test'
import { Announcements } from '../../../lib/map/writer/announcements.ts'
import { type LogSegment, SegmentAllocator } from '../../../lib/map/writer/segment-allocator.ts'
import { Random } from '../../support/random.ts'

const segmentBytes = 1 << 16
const slabSegments = 8
const segmentsMax = 40
const owner = 3

class Model {
  readonly allocator = new SegmentAllocator(
    { segmentBytes, slabBytes: slabSegments * segmentBytes, bytesMax: segmentsMax * segmentBytes },
    new Announcements(0, () => {}),
  )
  readonly #random: Random
  /** First segments of runs in use. */
  readonly #used: LogSegment[] = []
  /** First segments of runs that were freed while they were pinned. */
  readonly #pinned: LogSegment[] = []
  /** Segments that were handed out, and not given back since, by number. */
  readonly #written = new Set<number>()
  readonly #inUse = new Set<number>()

  constructor(random: Random) {
    this.#random = random
  }

  allocate(): void {
    const count = 1 + this.#random.below(3)
    let first: LogSegment
    try {
      first = this.allocator.allocate(count, owner)
    } catch (error) {
      expect(error).toMatchObject({ code: 'memory_exhausted' })
      return
    }
    for (let number = first.number; number < first.number + count; number++) {
      const segment = this.allocator.segments[number]!
      expect([number, this.#inUse.has(number), segment.slab]).toEqual([number, false, first.slab])
      // A table takes it as zero if it was not in use before.
      if (!segment.dirty) expect(isZero(segment)).toBeTrue()
      segment.bytes[0] = 1
      this.#inUse.add(number)
      this.#written.add(number)
    }
    this.#used.push(first)
  }

  free(): void {
    if (this.#used.length === 0) return
    const [first] = this.#used.splice(this.#random.below(this.#used.length), 1)
    first!.pinned = this.#random.below(4) === 0
    if (first!.pinned) this.#pinned.push(first!)
    else this.#noteFree(first!)
    this.allocator.free(first!)
  }

  unpin(): void {
    const first = this.#pinned.pop()
    if (first === undefined) return
    this.#noteFree(first)
    this.allocator.unpin(first)
  }

  release(): void {
    const keptBytes = this.#random.below(3) * segmentBytes
    const bytesMax = this.#random.below(2) === 0 ? undefined : this.#random.below(4) * segmentBytes
    const before = this.#freeWritten
    const refusedAt = this.#random.below(6)
    let given = 0
    const release = (bytes: Uint8Array) => {
      const number = this.allocator.segments.findIndex(
        ({ bytes: { buffer, byteOffset } }) => buffer === bytes.buffer && byteOffset === bytes.byteOffset,
      )
      // What is given back was handed out, and is not in use.
      expect({ number, isWritten: this.#written.has(number), isInUse: this.#inUse.has(number) }).toEqual({
        number,
        isWritten: true,
        isInUse: false,
      })
      if (given === refusedAt) return false
      given++
      this.#written.delete(number)
      bytes.fill(0)
      return true
    }
    const released = this.allocator.releaseFree(release, { keptBytes, ...(bytesMax !== undefined && { bytesMax }) })
    expect(released).toBe(given * segmentBytes)
    const wanted = Math.min(Math.max(0, before - keptBytes / segmentBytes), (bytesMax ?? Infinity) / segmentBytes)
    expect(given).toBe(Math.min(wanted, refusedAt))
  }

  check(): void {
    const { touchedBytes, freeTouchedBytes, pinnedFreeBytes, freeCount, segments } = this.allocator
    expect({ touchedBytes, freeTouchedBytes, pinnedFreeBytes, freeCount }).toEqual({
      touchedBytes: this.#written.size * segmentBytes,
      freeTouchedBytes: this.#freeWritten * segmentBytes,
      pinnedFreeBytes: this.#pinned.reduce((sum, { run }) => sum + run * segmentBytes, 0),
      freeCount: segments.length - this.#inUse.size,
    })
  }

  get #freeWritten(): number {
    return [...this.#written].filter((number) => !this.#inUse.has(number)).length
  }

  #noteFree({ number, run }: LogSegment): void {
    for (let i = 0; i < run; i++) this.#inUse.delete(number + i)
  }
}

function isZero({ bytes }: LogSegment): boolean {
  return bytes[0] === 0
}

test('what is given back was handed out before, and the account is that of a model after any operations', () => {
  const random = Random.of('segments')
  for (let round = 0; round < 20; round++) {
    const model = new Model(random)
    for (let i = 0; i < 200; i++) {
      const kind = random.below(10)
      if (kind < 5) model.allocate()
      else if (kind < 8) model.free()
      else if (kind < 9) model.unpin()
      else model.release()
      model.check()
    }
  }
})
