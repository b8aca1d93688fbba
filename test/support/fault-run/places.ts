/** How messages of the checker name records. */
import type { TopicRecord } from './history.ts'

export function placeOf(partition: number, offset: number): string {
  return `${partition}/${offset}`
}

export function show(record: TopicRecord | undefined): string {
  if (record === undefined) return 'nothing'
  const { partition, offset, key, value, src } = record
  return `${key}=${value} at ${placeOf(partition, offset)}${src < 0 ? '' : ` (source offset ${src})`}`
}
