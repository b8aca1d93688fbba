/**
 * Finds who serves the partitions of a feed, and opens its parts there: here if a whole copy is held, else at the primary,
 * else at another copy, by the plan of the moment. What no instance serves is tried again for a while.
 */
import { isInstance, LatchkeyError, messageOf } from '../../errors.ts'
import type { FollowOptions } from '../../store-protocol/following.ts'
import type { Routes } from '../group-asker.ts'
import type { FeedLink } from './feed-link.ts'
import { FeedPart } from './feed-part.ts'
import { type FeedStore, HeldPart, isWholeHere } from './held-part.ts'
import type { PartOptions } from './part-options.ts'
import { placeIn } from './places.ts'

const pauseMs = 100

/** What feeds need of the group. */
export interface FeedGroup {
  readonly store: FeedStore
  readonly routes: Routes
  /** Undefined for who is not a member. */
  linkTo(memberId: string): FeedLink | undefined
  nameOf(memberId: string): string
}

/** What all parts of a feed have in common. */
export type FeedFilter = Omit<PartOptions, 'from' | 'partitions' | 'seen'>

/** Partitions that no one serves for a feed now, and where it continues. */
export interface UnservedPart {
  readonly partitions: Set<number>
  readonly from: FollowOptions['from']
  readonly seen: ReadonlyMap<number, number>
  /** Who has served them last, and failed: it is asked after all others. */
  readonly failed: string | undefined
}

export interface PartEvents {
  ready(): void
  opened(part: FeedPart): void
  /** The feed was closed, or has begun again. */
  isOver(): boolean
}

/** Why a member does not serve a partition. */
type PartRefusals = Map<string, LatchkeyError>

/**
 * Opens parts for all partitions of one that is unserved; what is opened leaves it.
 * @returns rejects with LatchkeyError: owner_unreachable after `limitMs`, and what a follower is refused with here
 */
export async function openParts(
  group: FeedGroup,
  filter: FeedFilter,
  unserved: UnservedPart,
  limitMs: number,
  events: PartEvents,
): Promise<void> {
  const endsAt = performance.now() + limitMs
  for (;;) {
    const refusals: PartRefusals = new Map()
    await openRound(group, filter, unserved, refusals, events)
    if (unserved.partitions.size === 0 || events.isOver()) return
    if (performance.now() >= endsAt) throw unreachable(group, unserved, refusals)
    await Bun.sleep(pauseMs)
  }
}

/** Asks each holder of each partition, until one serves it. */
async function openRound(
  group: FeedGroup,
  filter: FeedFilter,
  unserved: UnservedPart,
  refusals: PartRefusals,
  events: PartEvents,
): Promise<void> {
  const tried = new Set<string>()
  for (;;) {
    const byHolder = new Map<string, number[]>()
    for (const partition of unserved.partitions) {
      const holder = holdersOf(group, partition, unserved).find((memberId) => !tried.has(`${partition} ${memberId}`))
      if (holder === undefined) continue
      tried.add(`${partition} ${holder}`)
      byHolder.set(holder, [...(byHolder.get(holder) ?? []), partition])
    }
    if (byHolder.size === 0 || events.isOver()) return
    const opening = [...byHolder].map(async ([holder, partitions]) => {
      try {
        await openPart(
          group,
          filter,
          unserved,
          holder,
          partitions.toSorted((a, b) => a - b),
          events,
        )
      } catch (thrown) {
        const isHere = group.routes.isSelf(holder)
        if (!isInstance(thrown, LatchkeyError) || (isHere && !isForElsewhere(thrown))) throw thrown
        refusals.set(holder, thrown)
      }
    })
    await Promise.all(opening)
  }
}

async function openPart(
  { store, routes, linkTo }: FeedGroup,
  filter: FeedFilter,
  { partitions: left, from, seen: all }: UnservedPart,
  holder: string,
  partitions: readonly number[],
  events: PartEvents,
): Promise<void> {
  const seen = new Map([...all].filter(([partition]) => partitions.includes(partition)))
  const place = typeof from === 'object' ? placeIn(from, partitions) : from
  const options = { ...filter, partitions, seen, from: place }
  const isHere = routes.isSelf(holder)
  const link = isHere ? undefined : linkTo(holder)
  if (!isHere && link === undefined) return
  const follow = (ready: () => void) => link?.follow(options, ready) ?? HeldPart.open(store, options, ready)
  const part = await FeedPart.open(options, holder, follow, () => events.ready())
  if (events.isOver()) return part.close()
  for (const partition of partitions) left.delete(partition)
  events.opened(part)
}

/** Whether a part continues elsewhere after such an error of its holder. */
export function isForElsewhere({ code }: LatchkeyError): boolean {
  return code === 'partition_not_held' || code === 'too_stale'
}

function holdersOf({ store, routes }: FeedGroup, partition: number, { failed }: UnservedPart): readonly string[] {
  const self = routes.members.find(({ isSelf }) => isSelf)
  const others = routes.candidates(partition).filter((memberId) => memberId !== self?.memberId && memberId !== failed)
  const here = self !== undefined && isWholeHere(store, partition) ? [self.memberId] : []
  return [...here, ...others, ...(failed === undefined ? [] : [failed])]
}

function unreachable(group: FeedGroup, { partitions }: UnservedPart, refusals: PartRefusals): LatchkeyError {
  const tried = [...refusals].map(([memberId, error]) => ({ url: group.nameOf(memberId), said: messageOf(error) }))
  const said = tried.map((one) => `${one.url}: ${one.said}`).join('; ') || 'no instance holds them'
  const message = `Following changes of store ${group.store.id}: no instance serves the partitions ${[...partitions].join()}: ${said}`
  return new LatchkeyError('owner_unreachable', message, { details: { tried } })
}
