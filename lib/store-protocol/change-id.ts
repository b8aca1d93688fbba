/**
 * Names a place in the order of changes, for clients that continue after it: the changelog's topic id, the time, and the
 * next changelog offset of each partition. As text: `1~<topic id>~<time>~<partition>.<offset>.<offset>_<partition>.…`,
 * numbers in base 36; offsets of consecutive partitions follow one another.
 */
export interface ChangeId {
  /** Empty if the brokers know no ids. Such a place is not continued: the topic may be another one. */
  readonly topicId: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly positions: ReadonlyMap<number, number>
}

const version = '1'
const base = 36
/** Longer ids are not parsed: 1,000 partitions take 8 kB. */
const charactersMax = 12_000
const partitionsMax = 1_000
/** Of an instance with a later version, before a rollback or during an upgrade. */
const laterVersion = /^(?:[2-9]|[1-9]\d{1,2})$/
const digits = /^[\da-z]{1,10}$/
/** Ids of topics are 22 characters. The text of a place is a line of a stream, so others are not passed on. */
const topicIdPattern = /^[\w-]{0,64}$/

export function isTopicId(text: string): boolean {
  return topicIdPattern.test(text)
}

export function formatChangeId({ topicId, time, positions }: ChangeId): string {
  let text = `${version}~${topicId}~${time.toString(base)}~`
  let next = -1
  for (const [partition, position] of [...positions].toSorted(([a], [b]) => a - b)) {
    if (partition !== next) text += `${next < 0 ? '' : '_'}${partition.toString(base)}`
    text += `.${position.toString(base)}`
    next = partition + 1
  }
  return text
}

/** @returns undefined if the text is not an id; a place that is not continued if a later version has made it */
export function parseChangeId(text: string): ChangeId | undefined {
  if (text.length > charactersMax) return undefined
  const [given, topicId, time, runs, ...rest] = text.split('~')
  const isLater = given !== undefined && topicId !== undefined && laterVersion.test(given)
  if (isLater) return { topicId: '', time: 0, positions: new Map() }
  if (given !== version || topicId === undefined || time === undefined || runs === undefined) return undefined
  if (!digits.test(time) || !isTopicId(topicId)) return undefined
  const positions = new Map<number, number>()
  for (const run of runs === '' ? [] : runs.split('_')) {
    const numbers = run.split('.')
    if (numbers.length < 2 || !numbers.every((number) => digits.test(number))) return undefined
    const [first, ...offsets] = numbers.map((number) => Number.parseInt(number, base))
    for (const [index, offset] of offsets.entries()) {
      if (!Number.isSafeInteger(offset)) return undefined
      positions.set(first! + index, offset)
    }
    if (positions.size > partitionsMax) return undefined
  }
  return rest.length > 0 ? undefined : { topicId, time: Number.parseInt(time, base), positions }
}
