/**
 * Parts of the changelog that a store thread reads for the followers of this thread. For each partition one part is
 * requested at a time, in rising order of offsets and then from the lowest again, so that one reading serves all
 * followers that wait. A follower keeps its place only: the last parts are kept here, and one that is no longer here is
 * requested again.
 */
import { KeysCursor, type KeysFound, type KeysPart } from '../../store-protocol/changed-keys.ts'

/** Bytes of parts that are kept, each with some more, so that few parts are kept. */
const keptBytesMax = 8 << 20
const overheadBytes = 65_536

export class KeptPart {
  /** Names the part in this thread. */
  readonly serial: number
  readonly keys: KeysPart
  /** Place of the record of each key. Made when a follower of a few keys reads the part: thousands may do so. */
  #places: Map<string, number> | undefined

  constructor(serial: number, keys: KeysPart) {
    this.serial = serial
    this.keys = keys
  }

  /** Returns the places of the records of some keys (latin1), in order of offsets. */
  placesOf(keys: Iterable<string>): number[] {
    const places = (this.#places ??= placesIn(this.keys))
    const found: number[] = []
    for (const key of keys) {
      const place = places.get(key)
      if (place !== undefined) found.push(place)
    }
    return found.toSorted((a, b) => a - b)
  }
}

/** A follower that waits for the keys from an offset on; if both are equal, until everything below is visible. */
export interface PartWait {
  readonly partition: number
  readonly from: number
  readonly to: number
  /** Called when the state has changed. */
  readonly wake: () => void
  /** `ahead`: the changelog has it, and it is not visible yet. */
  state: 'waiting' | 'ahead' | 'reached' | 'lost'
}

interface Waits {
  readonly waits: Set<PartWait>
  /** The request that is under way. */
  asked: { readonly from: number; readonly to: number } | undefined
  /** Where the last part ended. */
  next: number
}

export class ChangelogParts {
  /** By partition and beginning; the last used one is the last. */
  readonly #kept = new Map<string, KeptPart>()
  #serial = 0
  #keptBytes = 0
  readonly #waits = new Map<number, Waits>()
  #hasAhead = false
  readonly #ask: (partition: number, from: number, to: number) => void

  constructor(ask: (partition: number, from: number, to: number) => void) {
    this.#ask = ask
  }

  /**
   * Returns a part that has an offset.
   * @param fellAt when the changelog has lost records last: a part that was read before may be of what it has lost
   */
  find(partition: number, offset: number, fellAt: number): KeptPart | undefined {
    for (const [name, part] of this.#kept) {
      const { keys } = part
      if (keys.partition !== partition || offset < keys.from || offset >= keys.to) continue
      if (keys.readAt <= fellAt) {
        this.#drop(name)
        continue
      }
      this.#kept.delete(name)
      this.#kept.set(name, part)
      return part
    }
    return undefined
  }

  wait(wait: PartWait): void {
    const { partition } = wait
    const waits = this.#waits.get(partition) ?? { waits: new Set(), asked: undefined, next: 0 }
    this.#waits.set(partition, waits)
    waits.waits.add(wait)
    this.#askNext(partition, waits)
  }

  forget(wait: PartWait): void {
    const waits = this.#waits.get(wait.partition)
    waits?.waits.delete(wait)
    if (waits?.waits.size === 0 && waits.asked === undefined) this.#waits.delete(wait.partition)
  }

  /** Takes the answer of the store thread. */
  received(partition: number, from: number, found: KeysFound): void {
    if (typeof found === 'object') this.#keep(found)
    const waits = this.#waits.get(partition)
    if (waits?.asked === undefined) return
    const { asked } = waits
    waits.asked = undefined
    if (typeof found === 'object') waits.next = found.to
    const woken: PartWait[] = []
    for (const wait of waits.waits) {
      const state = stateAfter(wait, from, asked.from === asked.to, found)
      if (state === undefined) continue
      wait.state = state
      this.#hasAhead ||= state === 'ahead'
      if (state === 'ahead') continue
      waits.waits.delete(wait)
      woken.push(wait)
    }
    this.#askNext(partition, waits)
    // Last, since a follower may wait for the next part at once.
    for (const { wake } of woken) wake()
  }

  /** To be called after a publish: more may be visible. */
  published(): void {
    if (!this.#hasAhead) return
    this.#hasAhead = false
    for (const [partition, waits] of this.#waits) {
      for (const wait of waits.waits) if (wait.state === 'ahead') wait.state = 'waiting'
      this.#askNext(partition, waits)
    }
  }

  /** Frees what is kept, when no one follows. */
  clear(): void {
    this.#kept.clear()
    this.#keptBytes = 0
    this.#waits.clear()
  }

  #askNext(partition: number, waits: Waits): void {
    if (waits.asked !== undefined) return
    if (waits.waits.size === 0) return void this.#waits.delete(partition)
    let [lowest, following]: (PartWait | undefined)[] = []
    let end = 0
    for (const wait of waits.waits) {
      if (wait.state !== 'waiting') continue
      if (wait.from < wait.to) end = Math.max(end, wait.to)
      if (lowest === undefined || wait.from < lowest.from) lowest = wait
      const isFollowing = wait.from >= waits.next && (following === undefined || wait.from < following.from)
      if (isFollowing) following = wait
    }
    const wait = following ?? lowest
    if (wait === undefined) return
    const { from } = wait
    waits.asked = { from, to: wait.to === from ? from : end }
    this.#ask(partition, from, waits.asked.to)
  }

  #keep(part: KeysPart): void {
    const name = `${part.partition} ${part.from}`
    this.#drop(name)
    this.#kept.set(name, new KeptPart(++this.#serial, part))
    this.#keptBytes += keptBytes(part)
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= keptBytesMax || this.#kept.size === 1) return
      this.#drop(oldest)
    }
  }

  #drop(name: string): void {
    const part = this.#kept.get(name)
    if (part === undefined) return
    this.#kept.delete(name)
    this.#keptBytes -= keptBytes(part.keys)
  }
}

function placesIn(part: KeysPart): Map<string, number> {
  const places = new Map<string, number>()
  const cursor = new KeysCursor(part)
  while (cursor.next()) {
    const { data, keyStart, keyLength, start } = cursor
    places.set(data.toString('latin1', keyStart, keyStart + keyLength), start)
  }
  return places
}

function keptBytes({ records }: KeysPart): number {
  return records.length + overheadBytes
}

/** @returns undefined if the answer does not concern the wait */
function stateAfter(
  wait: PartWait,
  from: number,
  isLook: boolean,
  found: KeysFound,
): Exclude<PartWait['state'], 'waiting'> | undefined {
  const isForPart = wait.from < wait.to
  if (typeof found === 'object') {
    return isForPart && wait.from >= found.from && wait.from < found.to ? 'reached' : undefined
  }
  if (isForPart === isLook) return undefined
  // What is visible up to an offset is so up to lower ones, and what is not there is not there up to higher ones.
  if (found === 'reached') return wait.from <= from ? found : undefined
  if (found === 'ahead') return wait.from >= from ? found : undefined
  return wait.from === from ? found : undefined
}
