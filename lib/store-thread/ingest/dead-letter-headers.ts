/**
 * Headers that are added to a dead letter. The names follow Kafka Connect (`__connect.errors.topic`, KIP-298) and Kafka
 * Streams (`__streams.errors.topic`, KIP-1034), so that tools which look for `__*.errors.*` find them. The values are
 * text, as theirs.
 */
import type { HeaderBlock } from '../../kafka/record-batch/index.ts'
import { reasonOf } from '../../store-protocol/skipped.ts'
import type { CounterName } from '../../store-protocol/stats.ts'

export const prefix = '__latchkey.errors.'
export const omittedHeader = `${prefix}omitted`
/** Maximum length of the message. An error of a module may be of any length. */
const messageCharactersMax = 1_024

/** What is wrong with a record, and its position. */
export interface Fault {
  topic: string
  partition: number
  offset: number
  /** Counter of the record. */
  reason: CounterName
  message: string
  /** Content of the letter's value, if it is not the record's value. */
  raw?: 'record' | 'batch' | 'changelog record'
}

/** Parts of a record that were left out because they exceed the topic's limit. */
export type Omitted = 'value' | 'value, headers' | 'key, value, headers'

export function addFault(headers: HeaderBlock, storeId: string, fault: Fault, omitted?: Omitted): void {
  const { topic, partition, offset, reason, message, raw } = fault
  headers.add(`${prefix}reason`, reasonOf(reason))
  headers.add(`${prefix}message`, message.slice(0, messageCharactersMax))
  headers.add(`${prefix}topic`, topic)
  headers.add(`${prefix}partition`, String(partition))
  headers.add(`${prefix}offset`, String(offset))
  headers.add(`${prefix}store`, storeId)
  if (raw !== undefined) headers.add(`${prefix}value`, raw)
  if (omitted !== undefined) headers.add(omittedHeader, omitted)
}
