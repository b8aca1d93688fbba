import { describe, expect, test } from 'bun:test'
import { type Definition, describeThrown } from '../../lib/definition/index.ts'
import { loadFault } from '../../lib/definition/load-fault.ts'
import { presentationOf } from '../../lib/definition/presentation.ts'
import { errorTable, type LatchkeyError, messageOf } from '../../lib/errors.ts'
import { type Codec, simpleCodecs } from '../../lib/format/index.ts'
import { problemOf } from '../../lib/http/problem.ts'
import { TypedCodecs } from '../../lib/library/typed-codecs.ts'
import { throwing, unreadable } from '../support/definition/unreadable.ts'

const stored = { value: Buffer.from('a'), partition: 0, offset: 3 }

function errorOf(run: () => unknown): LatchkeyError {
  try {
    run()
  } catch (thrown) {
    return thrown as LatchkeyError
  }
  throw new Error('nothing was thrown')
}

describe.each(Object.entries(unreadable))('%s', (_, value) => {
  const fails = throwing(value)
  const codec: Codec = { ...simpleCodecs.utf8, decode: fails, encode: fails, toText: fails, fromText: fails }
  const definition: Definition = { key: codec, input: codec, value: codec, isPlain: false, keepsBytes: true }

  test('is described in one line', () => {
    expect(describeThrown(value, { module: import.meta.url })).toMatch(/^.+$/)
    expect(messageOf(value)).toBeString()
  })

  test('is a fault of the module when the module throws it at its top level', () => {
    const { code, message } = loadFault(value, import.meta.url)
    expect(code).toBe('invalid_settings')
    expect(message).toMatch(/^Loading the store module .+: .+$/)
  })

  test('is an invalid key and an undecodable value when a codec throws it in a lookup', () => {
    const { keyOf, render } = presentationOf(definition)
    expect(errorOf(() => keyOf(Buffer.from('a'))).code).toBe('invalid_key')
    expect(errorOf(() => render(stored, 'json')).code).toBe('value_undecodable')
  })

  test('is an invalid value when a codec throws it in a program', () => {
    const codecs = new TypedCodecs(definition)
    expect(errorOf(() => codecs.valueBytes('a')).code).toBe('invalid_value')
  })

  test('is an internal error of HTTP', () => {
    expect(problemOf(value).status).toBe(errorTable.internal.status)
  })
})

test('the readable parts of an odd error are shown', () => {
  expect(messageOf(unreadable['a message that is a number'])).toBe('5')
  expect(describeThrown(unreadable['a name that is a symbol'], {})).toBe('Symbol(q)')
})
