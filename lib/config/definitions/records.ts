/** Settings for source records: those that cannot be stored, and the headers to keep. */
import * as v from 'valibot'
import { headerNames, topicName } from '../values.ts'
import { topicAllowed } from './topics.ts'

export const recordDefinitions = {
  onBadRecord: v.pipe(
    v.optional(v.picklist(['skip', 'stop', 'dead-letter']), 'skip'),
    v.metadata({
      variable: 'ON_BAD_RECORD',
      meaning:
        'What to do with a record that cannot be stored: skip it, halt its partition (stop), or write it to DEAD_LETTER_TOPIC.',
      allowed: 'skip, stop or dead-letter',
      default: 'skip',
    }),
  ),
  deadLetterTopic: v.pipe(
    v.optional(topicName()),
    v.metadata({
      variable: 'DEAD_LETTER_TOPIC',
      meaning: 'Topic for records that cannot be stored, with ON_BAD_RECORD=dead-letter; created if missing.',
      allowed: topicAllowed,
      default: 'none',
    }),
  ),
  keepHeaders: v.pipe(
    v.optional(headerNames(), ''),
    v.metadata({
      variable: 'KEEP_HEADERS',
      meaning: 'Headers of source records that are kept with the value and answered with it.',
      allowed: 'names separated by commas, a "*" at the end of one matching any end; not src or aft',
      default: 'none',
    }),
  ),
}

export interface RecordTopics {
  onBadRecord: 'skip' | 'stop' | 'dead-letter'
  sourceTopic: string
  changelogTopic: string
  deadLetterTopic?: string | undefined
}

/** Returns what is wrong with the dead-letter topic, given the other topics; undefined if it is valid. */
export function deadLetterFault(topics: RecordTopics): string | undefined {
  const { onBadRecord, sourceTopic, changelogTopic, deadLetterTopic } = topics
  if (onBadRecord !== 'dead-letter') return deadLetterTopic && 'it has no effect without ON_BAD_RECORD=dead-letter'
  if (deadLetterTopic === undefined) return `with ON_BAD_RECORD=dead-letter it must be ${topicAllowed}`
  const taken = new Set([sourceTopic, changelogTopic].map(inKafka))
  if (!taken.has(inKafka(deadLetterTopic))) return undefined
  return 'it must differ from SOURCE_TOPIC and CHANGELOG_TOPIC (to Kafka, "." and "_" are the same)'
}

function inKafka(topic: string): string {
  return topic.replaceAll('.', '_')
}
