/**
 * Formats a log record as one line with a newline. Values are truncated, because a key or a broker's message may
 * have megabytes.
 */
import type { LogRecord } from '@logtape/logtape'
import { escapeControls } from './escape.ts'

const valueCharsMax = 1000
const areaWidth = 6
const levelWidth = 7

/** `2026-01-31T12:00:00.000Z info    store  Recovered 5 records` */
export function textLine(record: LogRecord): string {
  const area = record.category.slice(1).join('.').padEnd(areaWidth)
  const level = record.level.padEnd(levelWidth)
  return `${timeOf(record)} ${level} ${area} ${escapeControls(messageText(record))}\n`
}

/** Like textLine, for a message whose placeholders are not filled in yet. */
export function templateLine(
  level: LogRecord['level'],
  category: readonly string[],
  message: string,
  properties: Record<string, unknown>,
): string {
  const parts = message.split(/\{(\w+)\}/).map((part, index) => (index % 2 === 0 ? part : properties[part]))
  return textLine({ level, category, message: parts, rawMessage: message, properties, timestamp: Date.now() })
}

/** `{"time":…,"level":…,"category":…,"message":…}`, with the record's properties under `properties`. */
export function jsonLine(record: LogRecord): string {
  const properties: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record.properties)) {
    properties[name] = typeof value === 'number' || typeof value === 'boolean' ? value : valueText(value)
  }
  const line = {
    time: timeOf(record),
    level: record.level,
    category: record.category.join('.'),
    message: messageText(record),
    ...(Object.keys(properties).length > 0 && { properties }),
  }
  return `${JSON.stringify(line)}\n`
}

function timeOf(record: LogRecord): string {
  return new Date(record.timestamp).toISOString()
}

/** Parts with an odd index are values, the others are the text of the message. */
function messageText(record: LogRecord): string {
  return record.message.map((part, index) => (index % 2 === 0 ? String(part) : valueText(part))).join('')
}

function valueText(value: unknown): string {
  const text = plainText(value)
  return text.length > valueCharsMax ? `${text.slice(0, valueCharsMax)}… (${text.length} characters)` : text
}

/** Errors are reduced to their message. A stack does not help the operator and names internal files. */
function plainText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return value.message
  if (value instanceof Uint8Array) return new TextDecoder().decode(value.subarray(0, valueCharsMax))
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member))
  } catch {
    return String(value)
  }
}
