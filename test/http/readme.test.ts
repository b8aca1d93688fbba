/** lib/http/README.md against the table of errors. */
import { expect, test } from 'bun:test'
import { type ErrorCode, errorTable } from '../../lib/errors.ts'
import { tableBelow } from '../setup/markdown.ts'
import { read } from '../style/repository.ts'

/** Never answered: those of a start, of Kafka, of memory, of writes through the library, and of a port that is not meant for clients. */
const notAnswered = new Set<ErrorCode>([
  'invalid_value',
  'writes_exhausted',
  'internal_port',
  'invalid_settings',
  'listen_failed',
  'topics_unfit',
  'broker_unreachable',
  'request_timed_out',
  'authentication_failed',
  'broker_error',
  'broker_refused',
  'response_malformed',
  'record_batch_corrupt',
  'fenced',
  'entry_too_large',
  'memory_exhausted',
  'memory_full',
])

test('the README lists every error code with its status and whether a retry helps', () => {
  const [, ...rows] = tableBelow(read('lib/http/README.md'), '## Error codes')
  const listed = rows.map(([code = '', status, retry]) => [code.replaceAll('`', ''), Number(status), retry === 'yes'])
  const codes = Object.entries(errorTable).filter(([code]) => !notAnswered.has(code as ErrorCode))
  expect(listed.toSorted()).toEqual(codes.map(([code, { status, retriable }]) => [code, status, retriable]).toSorted())
})

test('the codes that README.md names have the status that it names', () => {
  const found = read('README.md').matchAll(/\b([1-5]\d\d)((?:(?:,| and| or)?\s`[a-z_]+`)+)/g)
  const named = [...found].flatMap(([, status, codes]) => {
    return [...codes!.matchAll(/[a-z_]{4,}/g)].map(([code]) => [code, Number(status)] as const)
  })
  expect(named.length).toBeGreaterThan(7)
  expect(named).toEqual(named.map(([code]) => [code, errorTable[code as ErrorCode]?.status]))
})
