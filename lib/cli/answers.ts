/** Answers of a store, as the commands read them. What has answered may be another server. */
import * as v from 'valibot'
import { groupStates } from '../group-protocol/group-status.ts'
import { NoAnswer } from './no-answer.ts'

const count = v.pipe(v.number(), v.finite())

/** What a line of the feed has. */
export const feedLine = v.looseObject({
  type: v.picklist(['put', 'delete', 'reset', 'status', 'place']),
  id: v.optional(v.string()),
  key: v.optional(v.unknown()),
  value: v.optional(v.unknown()),
  valueBase64: v.optional(v.string()),
  partition: v.optional(count),
  state: v.optional(v.string()),
})

export type FeedLine = v.InferOutput<typeof feedLine>

/** What `/` has of the store. */
export const namedStore = v.looseObject({ id: v.pipe(v.string(), v.minLength(1)) })

/** An entry, or a key without one. */
export const entryLine = v.looseObject({ code: v.optional(v.string()) })

const partitionStatus = v.looseObject({
  partition: count,
  role: v.string(),
  state: v.string(),
  position: v.nullable(count),
  end: v.nullable(count),
  lag: v.nullable(count),
  entries: count,
})

export type PrintedPartition = v.InferOutput<typeof partitionStatus>

const partitions = v.array(count)

const groupStatus = v.looseObject({
  name: v.string(),
  state: v.picklist(groupStates),
  generation: count,
  memberId: v.string(),
  isLeader: v.boolean(),
  leaseMs: count,
  protocol: v.string(),
  url: v.string(),
  members: v.array(
    v.looseObject({
      memberId: v.string(),
      id: v.string(),
      url: v.string(),
      isSelf: v.boolean(),
      isReachable: v.nullable(v.boolean()),
      reason: v.exactOptional(v.string()),
      primaries: partitions,
      standbys: partitions,
      filling: partitions,
      isLeaving: v.boolean(),
    }),
  ),
  unassigned: partitions,
  excluded: v.array(v.looseObject({ memberId: v.string(), url: v.string(), reason: v.string() })),
  differing: v.array(v.string()),
  waitsFor: v.array(v.looseObject({ partition: count, memberId: v.string() })),
  trouble: v.exactOptional(v.string()),
})

export const storeStatus = v.looseObject({
  id: v.string(),
  state: v.string(),
  reason: v.optional(v.string()),
  recovery: v.nullable(v.looseObject({ phase: v.string(), percent: count, remainingSeconds: v.nullable(count) })),
  conditions: v.array(v.looseObject({ name: v.string(), ok: v.boolean(), reason: v.optional(v.string()) })),
  details: v.array(partitionStatus),
  group: v.optional(groupStatus),
})

export type ShownStatus = v.InferOutput<typeof storeStatus>

/**
 * @param url of the store, for the message
 * @throws NoAnswer if the text is not such an answer
 */
export function parseAnswer<T extends v.GenericSchema>(schema: T, text: string, url: string): v.InferOutput<T> {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    found = undefined
  }
  const parsed = v.safeParse(schema, found)
  if (parsed.success) return parsed.output
  throw new NoAnswer(`Asking ${url}: the answer is not of a store`, okStatus)
}

/** Of all answers that are parsed. */
const okStatus = 200
