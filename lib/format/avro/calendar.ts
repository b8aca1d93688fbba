/**
 * Dates and times in ISO 8601: `2026-11-23`, `17:36:00.000`, `2026-11-23T17:36:00.000Z`, with as many digits after the
 * point as the type has.
 * A value outside the calendar is shown as its number. JavaScript's calendar ends 271,821 years before and 275,760
 * years after Christ.
 */
import type { Json } from '../codec.ts'
import { Mismatch } from './mismatch.ts'
import { intOf, jsonOfLong, longOf } from './primitives.ts'
import { withoutTrailingZeros } from './trailing-zeros.ts'
import type { AvroType } from './type.ts'

const dayMs = 86_400_000
const dateMaxMs = 8.64e15
const wholeNumber = /^-?\d+$/
const dateText = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d$/
const timestampText = /^((?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/
const timeText = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/

/** Days since 1970-01-01, as an int. */
export const dateType: AvroType = {
  name: 'int',
  shape: 'string',
  edgeShape: 'number',
  read(input) {
    const days = input.int()
    const ms = days * dayMs
    return Math.abs(ms) <= dateMaxMs ? new Date(ms).toISOString().split('T')[0]! : days
  },
  write: (output, json) => output.long(isNumber(json) ? intOf(json) : daysOf(json)),
  ofDefault: (json) => json,
}

/** Time since midnight. */
export function timeOfDayType(name: 'int' | 'long', unitsPerSecond: number): AvroType {
  const digits = Math.log10(unitsPerSecond)
  const day = 86_400 * unitsPerSecond
  return {
    name,
    shape: 'string',
    edgeShape: 'number',
    read(input) {
      const units = input.long()
      if (typeof units === 'bigint' || units < 0 || units >= day) return jsonOfLong(units)
      const seconds = Math.floor(units / unitsPerSecond)
      const clock = new Date(seconds * 1_000).toISOString().slice(11, 19)
      return `${clock}.${String(units % unitsPerSecond).padStart(digits, '0')}`
    },
    write(output, json) {
      if (isNumber(json)) output.long(name === 'int' ? intOf(json) : longOf(json))
      else output.long(timeOf(json, unitsPerSecond, digits))
    },
    ofDefault: (json) => json,
  }
}

/**
 * Time since 1970-01-01, as a long.
 * @param isInstant true for a moment in UTC, false for a local time without time zone
 */
export function calendarType(unitsPerSecond: number, isInstant: boolean): AvroType {
  const digits = Math.log10(unitsPerSecond)
  return {
    name: 'long',
    shape: 'string',
    edgeShape: 'number',
    read(input) {
      const units = input.long()
      return timestampOf(units, unitsPerSecond, digits, isInstant) ?? jsonOfLong(units)
    },
    write: (output, json) =>
      output.long(isNumber(json) ? longOf(json) : unitsOf(json, unitsPerSecond, digits, isInstant)),
    ofDefault: (json) => json,
  }
}

function isNumber(json: Json): boolean {
  return typeof json === 'number' || (typeof json === 'string' && wholeNumber.test(json))
}

function timestampOf(
  units: number | bigint,
  perSecond: number,
  digits: number,
  isInstant: boolean,
): string | undefined {
  const [seconds, fraction] =
    typeof units === 'number' ? splitNumber(units, perSecond) : splitBigint(units, BigInt(perSecond))
  if (Math.abs(seconds) * 1_000 > dateMaxMs) return undefined
  const second = new Date(seconds * 1_000).toISOString().replace('.000Z', '')
  return `${second}.${String(fraction).padStart(digits, '0')}${isInstant ? 'Z' : ''}`
}

function splitNumber(units: number, perSecond: number): [number, number] {
  const seconds = Math.floor(units / perSecond)
  return [seconds, units - seconds * perSecond]
}

function splitBigint(units: bigint, perSecond: bigint): [number, number] {
  const fraction = ((units % perSecond) + perSecond) % perSecond
  return [Number((units - fraction) / perSecond), Number(fraction)]
}

function unitsOf(json: Json, perSecond: number, digits: number, isInstant: boolean): number | bigint {
  const example = `2026-11-23T17:36:00${isInstant ? 'Z' : ''}`
  const [, second = '', fraction = '', zone = ''] = (typeof json === 'string' && timestampText.exec(json)) || []
  const ms = dateOf(second, zone === '' ? 'Z' : zone)
  if (ms === undefined || isInstant !== (zone !== '')) throw new Mismatch(`it must be a time, such as ${example}`)
  const units = BigInt(ms / 1_000) * BigInt(perSecond) + BigInt(fractionOf(fraction, digits))
  return longOf(String(units))
}

/** Milliseconds since 1970-01-01. Undefined if the date does not exist, such as the 30th of February. */
function dateOf(second: string, zone: string): number | undefined {
  const ms = Date.parse(`${second}${zone}`)
  const isReal = !Number.isNaN(ms) && new Date(Date.parse(`${second}Z`)).toISOString() === `${second}.000Z`
  return isReal ? ms : undefined
}

function daysOf(json: Json): number {
  const ms = typeof json === 'string' && dateText.test(json) ? dateOf(`${json}T00:00:00`, 'Z') : undefined
  if (ms === undefined) throw new Mismatch('it must be a date, such as 2026-11-23')
  return ms / dayMs
}

function timeOf(json: Json, perSecond: number, digits: number): number {
  const parts = typeof json === 'string' ? timeText.exec(json) : null
  const [hours, minutes, seconds] = [1, 2, 3].map((part) => Number(parts?.[part] ?? 0)) as [number, number, number]
  if (parts === null || hours > 23 || minutes > 59 || seconds > 59) {
    throw new Mismatch('it must be a time of day, such as 17:36:00')
  }
  return (hours * 3_600 + minutes * 60 + seconds) * perSecond + fractionOf(parts[4] ?? '', digits)
}

function fractionOf(fraction: string, digits: number): number {
  const kept = withoutTrailingZeros(fraction)
  if (kept.length > digits) throw new Mismatch(`it must have at most ${digits} digits after the point`)
  return Number(kept.padEnd(digits, '0') || 0)
}
