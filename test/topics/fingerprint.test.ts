import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FormatsConfig } from '../../lib/format/index.ts'
import { completenessMetadata, completenessOf } from '../../lib/topics/completeness.ts'
import { fingerprintIn, fingerprintOf, withFingerprint } from '../../lib/topics/fingerprint.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const raw = { format: 'raw' } as const
const formats = (value: FormatsConfig['value']): FormatsConfig => ({ key: raw, value, store: value })

test('a fingerprint changes with the formats, and not with a password', () => {
  const registry = (password: string) => ({ url: 'http://registry', credentials: { user: 'a', password } })
  const of = (password: string) => formats({ format: 'registry', kind: 'avro', registry: registry(password) })
  expect(fingerprintOf({ formats: of('one') })).toBe(fingerprintOf({ formats: of('two') }))
  const all = [formats({ format: 'json' }), formats({ format: 'utf8' }), of('one')].map((one) =>
    fingerprintOf({ formats: one }),
  )
  expect(new Set(all).size).toBe(3)
  expect(fingerprintOf({})).toBeUndefined()
})

test('a fingerprint changes with the text of a module', () => {
  const path = join(temporaryFolder('module'), 'orders.ts')
  const module = pathToFileURL(path).href
  writeFileSync(path, 'export default 1')
  const before = fingerprintOf({ module })
  expect(fingerprintOf({ module })).toBe(before)
  writeFileSync(path, 'export default 2')
  expect(fingerprintOf({ module })).not.toBe(before!)
  expect(fingerprintOf({ module: 'file:///nowhere.ts' })).toMatch(/^[0-9a-f]{8}$/)
})

test('a fingerprint is stored with the other metadata of a commit', () => {
  const stated = { changelogStart: 3, changelogEnd: 70 }
  const metadata = withFingerprint(completenessMetadata(stated), '0123abcd')
  expect(completenessOf(metadata)).toEqual(stated)
  expect(fingerprintIn(metadata)).toBe('0123abcd')
  expect(fingerprintIn(withFingerprint(completenessMetadata(stated), undefined))).toBeUndefined()
})
