/**
 * What is added to the headers of a dead letter. Named in the manner of Kafka Connect (`__connect.errors.topic`, KIP-298) and Kafka Streams
 * (`__streams.errors.topic`, KIP-1034), so that tools which look for `__*.errors.*` find them, and with text as values, as theirs have.
 */
import { type HeaderBlock } from '../../kafka/record-batch/index.ts'
import { reasonOf } from '../../store-protocol/skipped.ts'
import { type CounterName } from '../../store-protocol/stats.ts'

export const prefix = '__latchkey.errors.'
export const omittedHeader = `${prefix}omitted`
/** Of the message. What a module threw may be of any length. */
const messageCharactersMax = 1_024

/** What is wrong, and where it was found. */
export interface Fault {
  topic: string
  partition: number
  offset: number
  /** What the record is counted under. */
  reason: CounterName
  message: string
  /** What the letter's value is, where it is not the record's. */
  raw?: 'record' | 'batch' | 'changelog record'
}

/** Parts of a record that the dead-letter topic has no room for. */
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
