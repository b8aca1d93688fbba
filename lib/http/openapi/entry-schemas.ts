/** Schemas of entries and changes, as entry-json.ts and feed/feed-encoder.ts write them. */
import { count, described, enumOf, flag, listOf, oneOf, orNull, ref, type Schema, text } from './schema.ts'

const any: Schema = {}
const offset = () => described('Of the source record; null if it is not known', orNull(count))
const epochs = () =>
  described('Only in a group: the epoch of each instance that has read a part, by its id', {
    type: 'object',
    additionalProperties: count,
  })
const restarted = () =>
  described(
    'Only in a group: partitions that have moved, and were begun again: their entries may come twice',
    listOf(count),
  )
const place = () => described('Continue after it with after=, or Last-Event-ID', text)

/** Members of an entry besides its key. */
const entryMembers = () => ({
  value: described('JSON form of the value', any),
  valueBase64: described('Instead of value: raw bytes that are not JSON', text),
  code: described('Instead of value: why it cannot be shown', text),
  partition: count,
  offset: offset(),
  timestamp: described('Milliseconds since 1970; null if the record has none', orNull(count)),
  headers: listOf({
    type: 'object',
    properties: { name: text, value: text, valueBase64: text },
    required: ['name'],
  }),
  role: { const: 'replica' },
  lag: described('Of a replica: records that it is behind', orNull(count)),
})

/** Members of the changes, by event. */
const changes = () => ({
  put: { key: ref('Key'), ...entryMembers(), bytes: described('Size of the value, with values=false', count) },
  delete: { key: ref('Key'), partition: count, offset: offset() },
  reset: { id: place() },
  status: { partition: count, state: ref('PartitionState') },
  place: { id: place() },
})

export function entrySchemas(): Readonly<Record<string, Schema>> {
  return {
    Key: described(
      'Text of the key. Keys that are not text are written by their bytes',
      oneOf(text, object({ base64: text }, 'base64')),
    ),
    Entry: described('Only the key with fields=key', object({ key: ref('Key'), ...entryMembers() }, 'key')),
    MissingKey: object(
      {
        key: ref('Key'),
        code: described('One of the codes of a lookup, or answer_full', text),
        caughtUp: described('With key_not_found: false while the record may still arrive', flag),
        partition: described('With partition_not_held', count),
        detail: described('With invalid_key', text),
      },
      'key',
      'code',
    ),
    KeyList: object({ keys: listOf(ref('Key')) }, 'keys'),
    Entries: described(
      'All of one instant, the epoch; in a group of one instant of each instance',
      object(
        { epoch: count, epochs: epochs(), entries: listOf(ref('Entry')), missing: listOf(ref('MissingKey')) },
        'entries',
        'missing',
      ),
    ),
    Page: object(
      {
        entries: listOf(ref('Entry')),
        restarted: restarted(),
        next: described('Path and query of the next page', text),
      },
      'entries',
    ),
    Count: oneOf(
      object({ epoch: count, count }, 'epoch', 'count'),
      described('In a group', object({ epochs: epochs(), count }, 'epochs', 'count')),
      described(
        'With prefix: counted between two epochs',
        object({ count, from: count, to: count }, 'count', 'from', 'to'),
      ),
    ),
    DumpEnd: described(
      'The last line: without it, the stream was cut',
      object({ end: { const: true }, entries: count, restarted: restarted() }, 'end', 'entries'),
    ),
    ChangeLine: oneOf(...Object.entries(changes()).map(([type, members]) => changeLine(type, members))),
    ChangeEvent: described(
      'A server-sent event; data is JSON',
      object({ event: enumOf(['put', 'delete', 'reset', 'status']), data: text, id: place(), retry: text }),
    ),
  }
}

function changeLine(type: string, members: Readonly<Record<string, Schema>>): Schema {
  const optional = type === 'delete' || type === 'status' ? [] : ['id', 'bytes', ...Object.keys(entryMembers())]
  const required = Object.keys(members).filter((name) => !optional.includes(name))
  return object({ type: { const: type }, ...members }, 'type', ...required)
}

function object(properties: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema {
  return { type: 'object', properties, ...(required.length > 0 && { required }) }
}
