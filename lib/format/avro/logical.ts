/**
 * Logical types: the JSON of dates, times and decimals. Logical types that are unknown, or do not fit the type that
 * they annotate, are ignored, as Avro's specification requires.
 */
import type { Json } from '../codec.ts'
import { uuidPattern, uuidTextOf } from '../simple/uuid.ts'
import { calendarType, dateType, timeOfDayType } from './calendar.ts'
import { decimalType } from './decimal.ts'
import { Mismatch } from './mismatch.ts'
import type { AvroType } from './type.ts'

interface Attributes {
  readonly logicalType?: unknown
  readonly precision?: unknown
  readonly scale?: unknown
  readonly size?: unknown
}

/** @param underlying the type without its logical type */
export function withLogicalType(underlying: AvroType, kind: string, attributes: Attributes): AvroType {
  switch (`${kind} ${String(attributes.logicalType)}`) {
    case 'int date':
      return dateType
    case 'int time-millis':
      return timeOfDayType('int', 1e3)
    case 'long time-micros':
      return timeOfDayType('long', 1e6)
    case 'long timestamp-millis':
      return calendarType(1e3, true)
    case 'long timestamp-micros':
      return calendarType(1e6, true)
    case 'long timestamp-nanos':
      return calendarType(1e9, true)
    case 'long local-timestamp-millis':
      return calendarType(1e3, false)
    case 'long local-timestamp-micros':
      return calendarType(1e6, false)
    case 'long local-timestamp-nanos':
      return calendarType(1e9, false)
    case 'fixed uuid':
      return attributes.size === 16 ? uuidType(underlying.name) : underlying
    case 'bytes decimal':
      return decimalType('bytes', undefined, attributes) ?? underlying
    case 'fixed decimal':
      return decimalType(underlying.name, attributes.size as number, attributes) ?? underlying
    default:
      return underlying
  }
}

/** A UUID in 16 bytes. A UUID in a string needs no separate type. */
function uuidType(name: string): AvroType {
  return {
    name,
    shape: 'string',
    read(input) {
      return uuidTextOf(input.fixed(16))
    },
    write(output, json) {
      if (typeof json !== 'string' || !uuidPattern.test(json)) throw new Mismatch('it must be a UUID')
      output.fixed(Uint8Array.fromHex(json.replaceAll('-', '')))
    },
    ofDefault: (json: Json) => uuidTextOf(Uint8Array.from(String(json), (character) => character.charCodeAt(0))),
  }
}
