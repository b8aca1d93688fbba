/** Looks many keys up in the group: one request to each instance that is primary of some of them, at the same time. */
import { isInstance, LatchkeyError } from '../errors.ts'
import type { ForwardResult } from '../metrics/index.ts'
import { answerFull, type InstanceEpochs, isKeyNotFound, type ManyLookups } from '../store-protocol/reads.ts'
import type { Lookup } from '../store-protocol/status.ts'
import { askMany, shareOf } from './ask-many.ts'
import type { ForwardCounts } from './forwarded-lookup.ts'
import type { GroupAsker } from './group-asker.ts'
import { keyNotFound } from './key-not-found.ts'
import type { FoundKey, MissedKey } from './key-result.ts'
import { keyBytesMax, keyTooLong } from './long-keys.ts'
import { findFormer, findMisplaced, type Searched } from './misplaced-keys.ts'
import { scatter } from './scatter.ts'
import { isUnanswered } from './unanswered.ts'

type KeyOutcome = Lookup | LatchkeyError

interface Looked {
  readonly keys: readonly Uint8Array[]
  /** Indexes of the keys that were looked up. */
  readonly wanted: readonly number[]
  /** In the order of `wanted`. */
  readonly outcomes: KeyOutcome[]
  readonly bytesMax: number
}

export class GroupMany {
  readonly #asker: GroupAsker
  readonly #counts: ForwardCounts | undefined

  constructor(asker: GroupAsker, counts?: ForwardCounts) {
    this.#asker = asker
    this.#counts = counts
  }

  /** As StoreReads.getMany, over all partitions. Rejects if the store here does not serve. */
  async getMany(keys: readonly Uint8Array[], bytesMax: number): Promise<ManyLookups> {
    const asker = this.#asker
    const epochs: Record<string, number> = {}
    const isSent = (key: Uint8Array) => key.length <= keyBytesMax || asker.isHere(asker.local.partitionOf(key))
    const outcomes = keys.map((key): KeyOutcome | undefined => (isSent(key) ? undefined : keyTooLong(asker.attempted)))
    let open = [...keys.keys()].filter((index) => outcomes[index] === undefined)
    let used = 0
    for (;;) {
      const round = await this.#look(keys, open, bytesMax - used, epochs)
      for (const [at, index] of open.entries()) {
        const outcome = round[at]!
        outcomes[index] = outcome
        if (!isInstance(outcome, LatchkeyError)) used += outcome.value.length
      }
      const full = open.filter((index) => isFull(outcomes[index]!))
      // One member had more of the values than its share. What is left of the bound is asked for, unless it is little.
      if (full.length === 0 || full.length === open.length || used >= bytesMax * 0.9) break
      open = full
    }
    return this.#within(bytesMax, outcomes as KeyOutcome[], epochs)
  }

  /** @param wanted indexes of keys to look up */
  async #look(
    keys: readonly Uint8Array[],
    wanted: readonly number[],
    bytesMax: number,
    epochs: Record<string, number>,
  ): Promise<readonly KeyOutcome[]> {
    const asker = this.#asker
    const partitions = wanted.map((index) => asker.local.partitionOf(keys[index]!))
    const results = await scatter<FoundKey | MissedKey>({
      attempted: asker.attempted,
      partitions,
      candidates: (part) => asker.routes.candidates(partitions[part]!),
      nameOf: (member) => asker.nameOf(member),
      ask: async (member, parts, timeoutMs) => {
        const those = parts.map((part) => keys[wanted[part]!]!)
        const bounded = { keys: those, bytesMax: shareOf(bytesMax, parts.length / wanted.length) }
        const { epoch, results: answered } = await askMany(asker, member, bounded, timeoutMs)
        epochs[asker.instanceOf(member)] = epoch
        return answered.map((result) => (result.type === 'failed' ? result.error : result))
      },
    })
    const outcomes = results.map((result) => this.#outcomeOf(result))
    for (const [part, outcome] of outcomes.entries()) {
      const isElsewhere = !asker.isHere(partitions[part]!)
      if (isElsewhere && !isFull(outcome)) this.#counts?.observe(countedAs(outcome))
    }
    const isFormer = (at: number) => isOpen(outcomes[at]!) && asker.routes.isUnread(partitions[at]!)
    await this.#search({ keys, wanted, outcomes, bytesMax }, isFormer, findFormer)
    if (!asker.routes.mayHaveStrangers) return outcomes
    await this.#search({ keys, wanted, outcomes, bytesMax }, (at) => isKeyNotFound(outcomes[at]), findMisplaced)
    return outcomes
  }

  #outcomeOf(result: FoundKey | MissedKey | LatchkeyError): KeyOutcome {
    if (isInstance(result, LatchkeyError)) return result
    return result.type === 'found' ? result.lookup : keyNotFound(this.#asker.attempted, result)
  }

  /** Searches all partitions for some of the keys. What is not found keeps its outcome. */
  async #search(
    { keys, wanted, outcomes, bytesMax }: Looked,
    isSearched: (at: number) => boolean,
    find: (asker: GroupAsker, keys: readonly Uint8Array[], bytesMax: number) => Promise<readonly Searched[]>,
  ): Promise<void> {
    const those = [...outcomes.keys()].filter(isSearched)
    if (those.length === 0) return
    const found = await find(
      this.#asker,
      those.map((at) => keys[wanted[at]!]!),
      bytesMax,
    )
    for (const [index, at] of those.entries()) outcomes[at] = found[index] ?? outcomes[at]!
  }

  /** Values beyond the bound are left out, in the order of the keys. */
  #within(bytesMax: number, outcomes: readonly KeyOutcome[], epochs: InstanceEpochs): ManyLookups {
    let used = 0
    let full: LatchkeyError | undefined
    const results = outcomes.map((outcome) => {
      if (isInstance(outcome, LatchkeyError)) return outcome
      const { length } = outcome.value
      if (used > 0 && used + length > bytesMax) return (full ??= answerFull(this.#asker.local.id, bytesMax))
      used += Math.max(1, length)
      return outcome
    })
    return { epoch: 0, epochs, results }
  }
}

function countedAs(outcome: KeyOutcome): ForwardResult {
  if (!isInstance(outcome, LatchkeyError)) return 'found'
  if (outcome.code === 'key_not_found') return 'not_found'
  return outcome.code === 'owner_unreachable' || outcome.code === 'partition_unassigned' ? 'unreachable' : 'refused'
}

function isOpen(outcome: KeyOutcome): boolean {
  return isInstance(outcome, LatchkeyError) && isUnanswered(outcome)
}

function isFull(outcome: KeyOutcome): boolean {
  return isInstance(outcome, LatchkeyError) && outcome.code === 'answer_full'
}
