/** Parameters of operations, with the bounds that the handlers check. */
import { followedKeysMax } from '../feed/feed-options.ts'
import { keysMax } from '../key-list.ts'
import { limitDefault, limitMax } from '../page.ts'
import { partitionMax } from '../parameters.ts'
import { offsetsMax, waitSecondsMax } from '../wait-parameters.ts'
import { count, enumOf, examplesOf, listOf, type Parameter, type Schema, text } from './schema.ts'

/** @param values by the names of examples */
function query(
  name: string,
  description: string,
  schema: Schema,
  values: Readonly<Record<string, unknown>> = {},
): Parameter {
  return {
    name,
    in: 'query',
    description,
    schema,
    ...(Object.keys(values).length > 0 && { examples: examplesOf(values) }),
  }
}

function header(name: string, description: string, values: Readonly<Record<string, unknown>> = {}): Parameter {
  return { ...query(name, description, text, values), in: 'header' }
}

/** A parameter that has no value. */
function bare(name: string, description: string, ...examples: readonly string[]): Parameter {
  const values = Object.fromEntries(examples.map((example) => [example, '']))
  return { ...query(name, description, { type: 'string', maxLength: 0 }, values), allowEmptyValue: true }
}

const partition = { type: 'integer', minimum: 0, maximum: partitionMax }

export const storeId = (): Parameter => ({
  name: 'id',
  in: 'path',
  required: true,
  description: 'STORE_ID, or the source topic',
  schema: text,
  example: 'orders',
})

export const keyInPath = (): Parameter => ({
  name: 'key',
  in: 'path',
  required: true,
  description: 'In its text form; percent-encoded, and may contain `/`',
  schema: text,
  examples: examplesOf({ value: '10002', text: '10002', bytes: '10002', waited: '10002', none: 'no-such-order' }),
})

const maxLag = () => query('max-lag', 'A replica that is further behind, in records, answers too_stale', count)
const prefix = (values: Readonly<Record<string, unknown>>) => {
  return query('prefix', 'Only keys whose text form begins with it', text, values)
}

/** Of a lookup of one key. */
export const ofLookup = (): readonly Parameter[] => [
  { ...maxLag(), examples: examplesOf({ waited: 100 }) },
  query(
    'min-offset',
    'Waits until the source record is visible: partition:offset',
    { ...listOf({ type: 'string', pattern: String.raw`^\d{1,10}:\d{1,15}$` }), maxItems: offsetsMax },
    { waited: ['0:0'] },
  ),
  header(
    'Prefer',
    `\`wait=<seconds>\`, ${waitSecondsMax} at most: for min-offset, or until the key has a value or changes`,
    { waited: 'wait=5' },
  ),
  header('If-None-Match', 'An ETag: 304 while the value has it', { value: '"x"' }),
]

export const ofCollection = (): readonly Parameter[] => [
  query('key', 'One key, such as one that a path does not keep; excludes keys, count and limit', text, {
    'one key': '10002',
  }),
  query(
    'keys',
    'Several keys; excludes key, count and limit',
    { ...listOf(text), maxItems: keysMax },
    {
      'several keys': ['10002', 'no-such-order'],
      'several keys as lines': ['10002', 'no-such-order'],
    },
  ),
  bare('count', 'The number of entries; excludes key, keys and limit', 'count', 'count with prefix'),
  query(
    'limit',
    'Entries of a page; without it, lines are all entries',
    { type: 'integer', minimum: 1, maximum: limitMax, default: limitDefault },
    { page: 2, keys: 2 },
  ),
  prefix({ keys: '100', 'count with prefix': '100' }),
  query('fields', 'Keys without values', enumOf(['key']), { keys: 'key' }),
  query('partition', 'Only one partition', partition, { page: 0 }),
  query('cursor', 'Of a page: from `next` of the page before', text),
  ...ofLookup().map((parameter) => ({ ...parameter, examples: undefined })),
]

export const ofManyKeys = (): readonly Parameter[] => [{ ...maxLag(), examples: examplesOf({ json: 100 }) }]

export const ofChanges = (): readonly Parameter[] => [
  query('keys', 'Only these keys', { ...listOf(text), maxItems: followedKeysMax }, { events: ['10002', '10003'] }),
  prefix({ lines: '100' }),
  query('partition', 'Only one partition', partition),
  query(
    'from',
    '`start`: first all entries',
    { ...enumOf(['now', 'start']), default: 'now' },
    { events: 'start', lines: 'start' },
  ),
  query('after', 'An id that was received: what changed after it; excludes from', text),
  query('values', 'false: without values', { ...enumOf(['true', 'false']), default: 'true' }, { lines: 'false' }),
  header('Last-Event-ID', 'As after, which it precedes'),
]

export const ofStatus = (): readonly Parameter[] => [bare('pretty', 'For a person: one line per member', 'pretty')]

export const ofReadiness = (): readonly Parameter[] => [bare('verbose', 'One line per condition', 'verbose')]
