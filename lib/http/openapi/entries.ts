/** Operations that read entries. */
import { bodyBytesMax, keysMax } from '../key-list.ts'
import { json, lines, operation, plainText } from './operation.ts'
import { keyInPath, ofCollection, ofLookup, ofManyKeys, storeId } from './parameters.ts'
import { problemsOf } from './problems.ts'
import { examplesOf, oneOf, ref, type ResponseSpec, type Schema, text } from './schema.ts'

const tag = 'entries'
const value = { id: '10002', status: 'delivered' }
const valueText = JSON.stringify(value)
const entry = { key: '10002', value, partition: 0, offset: 0, timestamp: 1_795_452_853_521 }
const missing = { key: 'no-such-order', code: 'key_not_found', caughtUp: true }
const several = { epoch: 5, entries: [entry], missing: [missing] }
const notFound = {
  type: 'urn:latchkey:problem:key_not_found',
  title: 'Key not found',
  status: 404,
  detail: 'Looking up the key: the store holds no record under it',
  code: 'key_not_found',
  caughtUp: true,
}

function headersOf(texts: Readonly<Record<string, string>>): NonNullable<ResponseSpec['headers']> {
  return Object.fromEntries(Object.entries(texts).map(([name, description]) => [name, { description, schema: text }]))
}

const valueHeaders = () =>
  headersOf({
    ETag: 'Changes with the record and with its representation',
    'Last-Modified': 'Timestamp of the record',
    'X-Kafka-Partition': 'Of the source record',
    'X-Kafka-Offset': 'Of the source record',
    'X-Latchkey-Role': '`replica`; absent from a primary',
    'X-Latchkey-Lag': 'Of a replica: records that it is behind, or `unknown`',
    'X-Latchkey-Instance': 'Id of the other instance of the group that has answered; absent otherwise',
    'X-Latchkey-Headers-Omitted': 'Number of kept record headers that did not fit',
    'Preference-Applied': 'How long the server was ready to wait',
  })
const listHeaders = () =>
  headersOf({
    'X-Latchkey-Epoch': 'Instant of the answer; of a page, of its last part',
    'X-Latchkey-Epochs': 'In a group, instead: `<instance>=<epoch>` of each that has read a part',
    'X-Latchkey-Restarted': 'In a group: partitions of a page that were begun again',
    'X-Latchkey-Partitions': 'With ROUTING=none: of how many partitions a page, a stream or a count is, such as 3/12',
    Link: 'The next page, with rel="next"',
  })

const anyValue: Schema = { description: 'The value as JSON; without VALUE_FORMAT the bytes of the record, as they are' }
const unchanged = (): ResponseSpec => ({
  description: 'The value has the ETag of If-None-Match',
  headers: valueHeaders(),
})

const getKey = () =>
  operation({
    id: 'getKey',
    tag,
    summary: 'The latest value of a key',
    parameters: [storeId(), keyInPath(), ...ofLookup()],
    answers: {
      200: {
        description: 'The latest visible value, as the Accept header asks',
        headers: valueHeaders(),
        content: {
          ...json(anyValue, { value, waited: value }),
          ...plainText({ text: valueText }),
          'application/octet-stream': { schema: {}, examples: examplesOf({ bytes: valueText }) },
        },
      },
      304: unchanged(),
    },
    problems: problemsOf.lookup,
    examples: { key_not_found: examplesOf({ none: notFound }) },
  })

const getEntries = () =>
  operation({
    id: 'getEntries',
    tag,
    summary: 'One key (key), several (keys), their number (count), a page of all entries, or all as lines',
    parameters: [storeId(), ...ofCollection()],
    answers: {
      200: {
        description: 'Depends on the parameters',
        headers: { ...listHeaders(), ...valueHeaders() },
        content: {
          'application/json': {
            schema: { anyOf: [ref('Entries'), ref('Page'), ref('Count'), anyValue] },
            examples: {
              'one key': { value },
              'several keys': { value: several, 'x-schema': ref('Entries') },
              count: { value: { epoch: 57, count: 4 }, 'x-schema': ref('Count') },
              'count with prefix': { value: { count: 3, from: 42, to: 57 }, 'x-schema': ref('Count') },
              page: { value: { entries: [entry] }, 'x-schema': ref('Page') },
              keys: {
                value: {
                  entries: [{ key: '10004' }, { key: '10002' }],
                  next: '/stores/orders?limit=2&prefix=100&fields=key&cursor=9f3c.0.2871',
                },
                'x-schema': ref('Page'),
              },
            },
          },
          ...lines(oneOf(ref('Entry'), ref('MissingKey'), ref('DumpEnd')), {
            'several keys as lines': [entry, missing],
            'all entries': [entry, { end: true, entries: 1 }],
          }),
        },
      },
      304: unchanged(),
    },
    problems: problemsOf.collection,
  })

function manyKeys(method: 'QUERY' | 'POST'): object {
  return operation({
    id: `${method.toLowerCase()}Entries`,
    tag,
    summary: `Several keys, ${keysMax} at most, in a body of at most ${bodyBytesMax} bytes`,
    parameters: [storeId(), ...ofManyKeys()],
    body: {
      schema: { ...ref('KeyList'), properties: { keys: { maxItems: keysMax } } },
      examples: examplesOf({
        json: { keys: ['10002', 'no-such-order', { base64: 'MTAwMDM=' }] },
        lines: { keys: ['10002', 'no-such-order'] },
      }),
    },
    answers: {
      200: {
        description: 'The entries, and why others are missing; as the Accept header asks',
        headers: listHeaders(),
        content: {
          ...json(ref('Entries'), {
            json: { ...several, entries: [entry, { ...entry, key: { base64: 'MTAwMDM=' } }] },
          }),
          ...lines(oneOf(ref('Entry'), ref('MissingKey')), { lines: [entry, missing] }),
        },
      },
    },
    problems: problemsOf.manyKeys,
  })
}

export function entryPaths(): Record<string, object> {
  return {
    '/stores/{id}/{key}': { get: getKey() },
    '/stores/{id}': {
      get: getEntries(),
      post: manyKeys('POST'),
      'x-oai-additionalOperations': { QUERY: manyKeys('QUERY') },
    },
  }
}
