import { expect, test } from 'bun:test'
import { secretCheck } from '../../lib/text/secret.ts'

test('a secret is equal to itself alone', () => {
  const isSecret = secretCheck('open sesame')
  expect(isSecret('open sesame')).toBe(true)
  for (const other of ['', 'open sesam', 'open sesame ', 'Open sesame']) expect(isSecret(other)).toBe(false)
})
