import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import {
  brokerError,
  errorAction,
  errorName,
  hasBrokerCode,
  isAuthorizationFailure,
  isNotAvailable,
} from '../../../lib/kafka/protocol/error-codes.ts'

test.each([
  [6, 'NOT_LEADER_OR_FOLLOWER', 'refresh', 'broker_error', true],
  [19, 'NOT_ENOUGH_REPLICAS', 'retry', 'broker_error', true],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'refuse', 'broker_refused', false],
  [10, 'MESSAGE_TOO_LARGE', 'record', 'broker_refused', false],
  [1, 'OFFSET_OUT_OF_RANGE', 'reset', 'broker_refused', false],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'sequence', 'broker_refused', false],
  [47, 'INVALID_PRODUCER_EPOCH', 'fence', 'fenced', false],
  [90, 'PRODUCER_FENCED', 'fence', 'fenced', false],
  [9999, 'error 9999', 'refuse', 'broker_refused', false],
] as const)('brokerError describes code %d when the broker answers %s', (code, name, action, kind, retriable) => {
  expect(errorName(code)).toBe(name)
  expect(errorAction(code)).toBe(action)
  const error = brokerError('Writing to log partition 3', code, 'do this')
  expect(error.message).toBe(`Writing to log partition 3: the broker answered ${name}; do this`)
  expect(error).toMatchObject({ code: kind, retriable, details: { brokerCode: code } })
})

test('unavailable topics and missing permissions are recognised by code', () => {
  const codes = Array.from({ length: 130 }, (_, index) => index - 1)
  expect(codes.filter((code) => isNotAvailable(code))).toEqual([5, 8, 9, 15, 78, 83])
  expect(codes.filter((code) => isAuthorizationFailure(code))).toEqual([29, 30, 31, 53])
})

test('hasBrokerCode knows an error by the code that the broker answered, not by its name', () => {
  const error = brokerError('Creating topic log', 44)
  expect([hasBrokerCode(error, 40, 44), hasBrokerCode(error, 44), hasBrokerCode(error, 40)]).toEqual([
    true,
    true,
    false,
  ])
  expect(hasBrokerCode(brokerError('Creating topic log', 9999), 9999)).toBe(true)
  const others = [undefined, null, new Error('POLICY_VIOLATION'), new LatchkeyError('internal', 'POLICY_VIOLATION')]
  for (const other of others) expect(hasBrokerCode(other, 44)).toBe(false)
})
