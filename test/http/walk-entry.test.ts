import { expect, test } from 'bun:test'
import { presentationOf } from '../../lib/definition/presentation.ts'
import { LatchkeyError } from '../../lib/errors.ts'
import { JsonBuffer } from '../../lib/http/json-buffer.ts'
import { writeWalkEntry } from '../../lib/http/walk-entry.ts'

test('an entry whose schema is waited for no more is written without it, and its late failure ends nothing', async () => {
  const { promise, reject } = Promise.withResolvers<never>()
  const failing = { hasRawValues: false, hasPlainKeys: false, keyText: () => promise, render: () => promise }
  const presentation = { ...presentationOf(undefined), ...failing }
  const to = new JsonBuffer(100)
  const entry = { key: new Uint8Array([1]), value: new Uint8Array(), partition: 0, offset: 1, timestamp: 2 }
  const options = { textPrefix: undefined, keysOnly: false, waits: false }
  expect(writeWalkEntry(to, presentation, entry, options)).toBe(true)
  expect(JSON.parse(new TextDecoder().decode(to.copy()))).toEqual({
    key: { base64: 'AQ==' },
    code: 'schema_unavailable',
    partition: 0,
    offset: 1,
    timestamp: 2,
  })
  // A rejection that is not handled fails this test.
  reject(new LatchkeyError('schema_unavailable', 'Looking up a key: no schema'))
  await new Promise((resolve) => setImmediate(resolve))
})
