/**
 * Keys that are where the partitioner does not put them: of a producer with another partitioner, or from before the
 * topic has grown. While the group knows of such keys, one that its own partition does not have is looked for in all
 * partitions before it is missing. So it is as well until all partitions were read once, and while there may be a plan that
 * this instance has not got: whether there are such keys is not known then. A partition that does not answer makes a key
 * one that may still arrive then.
 */
import { isInstance, LatchkeyError } from '../errors.ts'
import type { Lookup } from '../store-protocol/status.ts'
import { errorOf } from './answer.ts'
import { askMany, shareOf } from './ask-many.ts'
import type { GroupAsker } from './group-asker.ts'
import type { KeyResult } from './key-result.ts'

const askMsMax = 2_000
/** As long as it is not known whether there are such keys. */
const askMsMaxUnknown = 500
/** For so long, primaries are asked again: a partition that moves has none for a moment. */
const roundsMs = 1_000
const pauseMs = 50

/** What was found; undefined if no partition has the key; or why that is not known. */
export type Searched = Lookup | LatchkeyError | undefined

/**
 * Asks the primaries of all partitions, at the same time.
 * @param roundsMsMax for so long they are asked again
 * @returns for each key; never rejects
 */
export async function findMisplaced(
  asker: GroupAsker,
  keys: readonly Uint8Array[],
  bytesMax: number,
  roundsMsMax = roundsMs,
): Promise<readonly Searched[]> {
  const startedAt = performance.now()
  for (;;) {
    const outcomes = await searchOnce(asker, keys, bytesMax)
    const mayHelp =
      asker.routes.hasStrangers && outcomes.some((outcome) => isInstance(outcome, LatchkeyError) && outcome.retriable)
    if (!mayHelp || performance.now() - startedAt + pauseMs >= roundsMsMax) return outcomes
    await Bun.sleep(pauseMs)
  }
}

async function searchOnce(
  asker: GroupAsker,
  keys: readonly Uint8Array[],
  bytesMax: number,
): Promise<readonly Searched[]> {
  const { searched, unassigned } = primaries(asker)
  const isStrict = asker.routes.hasStrangers
  const timeoutMs = isStrict ? askMsMax : askMsMaxUnknown
  const share = shareOf(bytesMax, 1 / searched.size)
  const answers = await Promise.all(
    [...searched].map(async ([member, partitions]): Promise<readonly KeyResult[] | LatchkeyError> => {
      try {
        const asked = { keys, bytesMax: share, searched: partitions }
        return namedBy(asker, member, (await askMany(asker, member, asked, timeoutMs)).results)
      } catch (thrown) {
        return errorOf(thrown)
      }
    }),
  )
  const failure = answers.find((answer) => isInstance(answer, LatchkeyError))
  const whole = answers.filter((answer): answer is readonly KeyResult[] => !isInstance(answer, LatchkeyError))
  return keys.map((_, index) => {
    const results = whole.map((one) => one[index]!)
    const outcome = outcomeOf(asker, results, failure ?? unassigned)
    const isUnknown = isInstance(outcome, LatchkeyError) && outcome.code !== 'answer_full'
    return isUnknown && !isStrict ? notFoundYet(asker) : outcome
  })
}

/** Notes at what another instance has found who it is. */
function namedBy(asker: GroupAsker, member: string, results: readonly KeyResult[]): readonly KeyResult[] {
  if (asker.isSelf(member)) return results
  const instance = asker.instanceOf(member)
  for (const result of results) if (result.type === 'found') result.lookup.instance = instance
  return results
}

/** Returns the partitions by the member that is their primary, and the error if one has none. */
function primaries({ routes, attempted }: GroupAsker) {
  const searched = new Map<string, number[]>()
  let unassigned: LatchkeyError | undefined
  for (let partition = 0; partition < routes.partitionCount; partition++) {
    const primary = routes.primaryOf(partition)
    if (primary === undefined) {
      const found = `the key may be in partition ${partition}, which no instance of the group holds now`
      unassigned = new LatchkeyError('partition_unassigned', `${attempted}: ${found}`, { details: { partition } })
      continue
    }
    const partitions = searched.get(primary.memberId) ?? []
    partitions.push(partition)
    searched.set(primary.memberId, partitions)
  }
  return { searched, unassigned }
}

/** What a primary has found precedes what a copy has, and that precedes the reason why one does not know. */
function outcomeOf(asker: GroupAsker, results: readonly KeyResult[], unanswered: LatchkeyError | undefined): Searched {
  let copy: Lookup | undefined
  let failure = unanswered
  let caughtUp = true
  for (const result of results) {
    if (result.type === 'failed') failure ??= result.error
    else if (result.type === 'missed') caughtUp &&= result.caughtUp
    else if (result.lookup.replicaLag === undefined) return result.lookup
    else copy ??= result.lookup
  }
  if (copy !== undefined || failure !== undefined || caughtUp) return copy ?? failure
  return notFoundYet(asker)
}

/** What is found while the key's own partition is not read: it may have a newer value, so how old this one is is not known. */
export async function findFormer(
  asker: GroupAsker,
  keys: readonly Uint8Array[],
  bytesMax: number,
): Promise<readonly (Lookup | undefined)[]> {
  const outcomes = await findMisplaced(asker, keys, bytesMax, 0)
  return outcomes.map((outcome) => {
    if (outcome === undefined || isInstance(outcome, LatchkeyError)) return undefined
    outcome.replicaLag ??= null
    return outcome
  })
}

function notFoundYet({ attempted }: GroupAsker): LatchkeyError {
  const found = 'the store holds no record under the key yet'
  return new LatchkeyError('key_not_found', `${attempted}: ${found}`, { details: { caughtUp: false } })
}
