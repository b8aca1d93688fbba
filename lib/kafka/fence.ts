/**
 * Fencing: takes a changelog partition, so that the broker appends no batch of an earlier owner after ours, however
 * late the batch arrives.
 *
 * InitProducerId with a transactional id returns the same producer id with the next epoch. A transaction that begins on
 * the partition and is aborted at once writes a control batch (marker) with that epoch. From then on the broker refuses
 * batches of lower epochs (INVALID_PRODUCER_EPOCH). An owner that reads its own marker has read everything that others
 * wrote. The batches that follow are idempotent and not transactional. KIP-98 (transactions), KIP-360 (InitProducerId
 * that states the present epoch).
 */
import { LatchkeyError } from '../errors.ts'
import { sleep } from './backoff.ts'
import {
  hasBrokerCode,
  invalidProducerEpoch,
  invalidProducerIdMapping,
  producerFenced,
} from './protocol/error-codes.ts'
import {
  addPartition,
  type Claim,
  endTransaction,
  type FenceTarget,
  initProducerId,
  type ProducerIdentity,
  type TransactionalRequest,
} from './transactional-id.ts'

export type { Claim, FenceTarget, ProducerIdentity }

/** Number of producer ids whose epochs a claim remembers. Recent batches and markers do not have older ids. */
const producerIdsMax = 8
/** Times to read the markers, for about a second, before a refusal counts as caused by a request of this owner. */
const looksMax = 5

export function newClaim(): Claim {
  return { taken: [], isOpen: false, mayBeSuperseded: false }
}

/** Returns the identity that the claim writes with; undefined before the first grant. */
export function identityOf({ taken }: Claim): ProducerIdentity | undefined {
  const newest = taken.at(-1)
  return newest && { producerId: newest.producerId, producerEpoch: newest.last }
}

/** Whether a batch or marker was written under the claim. */
export function isOwn({ taken }: Claim, { producerId, producerEpoch }: ProducerIdentity): boolean {
  return taken.some((one) => one.producerId === producerId && producerEpoch >= one.first && producerEpoch <= one.last)
}

/**
 * Takes a partition, or takes it again if the claim already holds it. Resolves once the abort is decided; the marker
 * reaches the partition a little later.
 *
 * Each request is repeated by itself until it is answered. Repeating all of them with the former epoch would meet the
 * transaction that the first round left behind, and be refused. A refusal proves another owner only if no request of
 * this owner can have caused it. Otherwise the last marker in the partition decides. A claim that was never granted has
 * nothing to lose: it begins again.
 *
 * @throws LatchkeyError fenced if another instance has taken the partition since
 */
export async function fencePartition(target: FenceTarget, claim: Claim): Promise<ProducerIdentity> {
  const { client } = target
  const held = identityOf(claim)
  const retryPolicy = client.retryPolicy()
  for (let stated = held; ;) {
    const request: TransactionalRequest = { stated, isRepeated: false }
    try {
      const identity = await client.retryForever(() => initProducerId(target, claim, request))
      note(claim, identity)
      const isAnswered = await addPartition(target, claim, identity)
      const isEnded = await client.retryForever(() => endTransaction(target, identity))
      claim.isOpen = false
      if (isAnswered && isEnded) return identity
      // A request without a response may still arrive and begin a transaction that no one ends. The next epoch makes
      // the coordinator refuse it.
      stated = identity
      await sleep(retryPolicy.pauseMs(), client.signal)
    } catch (error) {
      if (!isSuperseded(error)) throw error
      stated = held && (await settle(target, claim, request, error))
      await sleep(retryPolicy.nextMs(error), client.signal)
    }
  }
}

function note(claim: Claim, { producerId, producerEpoch }: ProducerIdentity): void {
  const newest = claim.taken.at(-1)
  if (newest?.producerId === producerId) newest.last = producerEpoch
  else claim.taken.push({ producerId, first: producerEpoch, last: producerEpoch })
  if (claim.taken.length > producerIdsMax) claim.taken.shift()
  claim.isOpen = false
}

/**
 * Decides what a refusal means: the coordinator knows a later owner.
 * @returns identity to state in the next round; undefined to state none
 * @throws LatchkeyError fenced if the later owner is another instance
 */
async function settle(
  { client, topic, partition, markers }: FenceTarget,
  claim: Claim,
  { isRepeated }: TransactionalRequest,
  refusal: LatchkeyError,
): Promise<ProducerIdentity | undefined> {
  const own = identityOf(claim)!
  const next = { producerId: own.producerId, producerEpoch: own.producerEpoch + 1 }
  const isOpen = claim.isOpen
  const isUncertain = !isOpen && !isUnmapped(refusal) && (isRepeated || claim.mayBeSuperseded)
  const found = await lastMarkers(client, markers, claim, isUncertain ? looksMax : 1)
  const last = found.at(-1)
  claim.isOpen = false
  if (last !== undefined && hasLater(claim, found)) {
    // Our own EndTxn would have left a marker of our epoch. There is none: the coordinator ended the transaction.
    if (isOpen && isSame(last, next) && !found.some((one) => isSame(one, own))) return next
    const { producerId, producerEpoch } = last
    const marker = `its last marker is of producer ${producerId} with epoch ${producerEpoch}`
    throw new LatchkeyError('fenced', `Taking ${topic} partition ${partition}: ${marker}`, { cause: refusal })
  }
  if (isOpen) return next
  // The id may have expired. When we state what we hold, the coordinator says whether another instance has it.
  if (isUnmapped(refusal)) return own
  if (isUncertain) return undefined
  throw new LatchkeyError('fenced', refusal.message, { cause: refusal })
}

/**
 * Reads the markers until another owner's is there, at most `looks` times. A marker reaches the partition a little
 * after the coordinator has granted the epoch.
 */
async function lastMarkers(
  client: FenceTarget['client'],
  markers: FenceTarget['markers'],
  claim: Claim,
  looks: number,
): Promise<readonly ProducerIdentity[]> {
  const retryPolicy = client.retryPolicy()
  for (let look = 1; ; look++) {
    const found = await client.retryForever(markers)
    if (look === looks || hasLater(claim, found)) return found
    await sleep(retryPolicy.pauseMs(), client.signal)
  }
}

function hasLater(claim: Claim, markers: readonly ProducerIdentity[]): boolean {
  const last = markers.at(-1)
  return last !== undefined && isLater(claim, last)
}

/** Whether a marker is neither of the claim nor of an owner before it. */
function isLater({ taken }: Claim, { producerId, producerEpoch }: ProducerIdentity): boolean {
  return !taken.some((one) => one.producerId === producerId && producerEpoch <= one.last)
}

function isSame(one: ProducerIdentity, other: ProducerIdentity): boolean {
  return one.producerId === other.producerId && one.producerEpoch === other.producerEpoch
}

/** Whether the transactional id now has another producer id, or none. */
function isUnmapped(error: unknown): boolean {
  return hasBrokerCode(error, invalidProducerIdMapping)
}

function isSuperseded(error: unknown): error is LatchkeyError {
  return isUnmapped(error) || hasBrokerCode(error, invalidProducerEpoch, producerFenced)
}
