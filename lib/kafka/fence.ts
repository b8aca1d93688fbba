/**
 * Taking a changelog partition, so that no batch of an earlier owner, however late, is appended behind ours.
 *
 * InitProducerId with a transactional id gives the same producer id with the next epoch; a transaction begun on the partition and aborted at once
 * writes a control batch with that epoch. From there on the broker refuses batches of lower epochs (INVALID_PRODUCER_EPOCH), and where
 * the owner reads its own marker is the end of what anyone else has written. Batches afterwards are idempotent and not transactional.
 * KIP-98 (transactions), KIP-360 (InitProducerId with the epoch one holds).
 */
import { LatchkeyError } from '../errors.ts'
import { sleep } from './backoff.ts'
import {
  addPartition,
  type Asking,
  type Claim,
  endTransaction,
  type FenceTarget,
  initProducerId,
  type ProducerIdentity,
} from './transactional-id.ts'

export type { Claim, FenceTarget, ProducerIdentity }

/** Of how many producer ids a claim remembers epochs: a batch or marker of one before that is none of the latest. */
const producerIdsMax = 8
/** How often the markers are looked at before a refusal is taken for one that a request of this owner has led to: for about a second. */
const looksMax = 5

export function newClaim(): Claim {
  return { taken: [], isOpen: false, isHaunted: false }
}

/** What is written under the claim now; undefined before it was fulfilled. */
export function identityOf({ taken }: Claim): ProducerIdentity | undefined {
  const newest = taken.at(-1)
  return newest && { producerId: newest.producerId, producerEpoch: newest.last }
}

/** Whether a batch or marker was written under the claim. */
export function isOwn({ taken }: Claim, { producerId, producerEpoch }: ProducerIdentity): boolean {
  return taken.some((one) => one.producerId === producerId && producerEpoch >= one.first && producerEpoch <= one.last)
}

/**
 * Takes a partition, again if the claim holds it already. Resolves once the abort is decided; the marker reaches the partition a little later.
 *
 * Each request is repeated by itself until it is answered, because a repetition of the whole with the former epoch meets what it has left
 * behind itself, and is refused. A refusal is proof of another owner only where no request of this owner can have led to it; else
 * the partition tells, by the last marker in it. A claim that was never fulfilled has nothing to lose: it begins again.
 *
 * @throws LatchkeyError fenced if another instance has taken the partition since
 */
export async function fencePartition(target: FenceTarget, claim: Claim): Promise<ProducerIdentity> {
  const { client } = target
  const held = identityOf(claim)
  const patience = client.patience()
  for (let stated = held; ;) {
    const asking: Asking = { stated, isRepeated: false }
    try {
      const identity = await client.persist(() => initProducerId(target, claim, asking))
      note(claim, identity)
      const isAnswered = await addPartition(target, claim, identity)
      const isEnded = await client.persist(() => endTransaction(target, identity))
      claim.isOpen = false
      if (isAnswered && isEnded) return identity
      // A request that was not answered may still arrive, and would begin a transaction that nobody ends: the next epoch refuses it.
      stated = identity
      await sleep(patience.pauseMs(), client.signal)
    } catch (error) {
      if (!isSuperseded(error)) throw error
      stated = held && (await settle(target, claim, asking, error))
      await sleep(patience.nextMs(error), client.signal)
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

/** The coordinator knows a later owner. @returns what to state instead @throws LatchkeyError fenced where that is another instance */
async function settle(
  { client, topic, partition, markers }: FenceTarget,
  claim: Claim,
  { isRepeated }: Asking,
  refusal: LatchkeyError,
): Promise<ProducerIdentity | undefined> {
  const own = identityOf(claim)!
  const next = { producerId: own.producerId, producerEpoch: own.producerEpoch + 1 }
  const isOpen = claim.isOpen
  const isUncertain = !isOpen && refusal.details['kafka'] !== unmapped && (isRepeated || claim.isHaunted)
  const found = await lastMarkers(client, markers, claim, isUncertain ? looksMax : 1)
  const last = found.at(-1)
  claim.isOpen = false
  if (last !== undefined && hasLater(claim, found)) {
    // An end of ours would have left our own marker before that one.
    if (isOpen && isSame(last, next) && !found.some((one) => isSame(one, own))) return next
    const { producerId, producerEpoch } = last
    const marker = `the last marker in it is of producer ${producerId} with epoch ${producerEpoch}`
    throw new LatchkeyError('fenced', `Taking ${topic} partition ${partition}: ${marker}`, { cause: refusal })
  }
  if (isOpen) return next
  // The id expired, perhaps: asked with what is held, the coordinator says whether another has it.
  if (refusal.details['kafka'] === unmapped) return own
  if (isUncertain) return undefined
  throw new LatchkeyError('fenced', refusal.message, { cause: refusal })
}

/** Looks until there is the marker of another owner, which reaches the partition a little after the coordinator has granted it. */
async function lastMarkers(
  client: FenceTarget['client'],
  markers: FenceTarget['markers'],
  claim: Claim,
  looks: number,
): Promise<readonly ProducerIdentity[]> {
  const patience = client.patience()
  for (let look = 1; ; look++) {
    const found = await client.persist(markers)
    if (look === looks || hasLater(claim, found)) return found
    await sleep(patience.pauseMs(), client.signal)
  }
}

function hasLater(claim: Claim, markers: readonly ProducerIdentity[]): boolean {
  const last = markers.at(-1)
  return last !== undefined && isLater(claim, last)
}

/** Whether a marker is neither the claim's own nor of an owner before it. */
function isLater({ taken }: Claim, { producerId, producerEpoch }: ProducerIdentity): boolean {
  return !taken.some((one) => one.producerId === producerId && producerEpoch <= one.last)
}

function isSame(one: ProducerIdentity, other: ProducerIdentity): boolean {
  return one.producerId === other.producerId && one.producerEpoch === other.producerEpoch
}

/** The transactional id has another producer id by now, or none. */
const unmapped = 'INVALID_PRODUCER_ID_MAPPING'
const supersededBy = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', unmapped])

function isSuperseded(error: unknown): error is LatchkeyError {
  return error instanceof LatchkeyError && supersededBy.has(String(error.details['kafka']))
}
