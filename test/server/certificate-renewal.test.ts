/** Renewals of the certificate by SIGHUP. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renewOnHangup } from '../../lib/server/certificate-renewal.ts'
import { makeCertificate, writeCertificate } from '../support/http/certificate.ts'
import { until } from '../support/until.ts'

let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-renewal-'))
})
afterAll(() => rmSync(root, { recursive: true }))

test('many signals at once cause two renewals, and the second one reads the latest files', async () => {
  const paths = writeCertificate(root, makeCertificate({ name: 'first' }))
  const renewed: string[] = []
  const before = process.listeners('SIGHUP')
  renewOnHangup({ renewTls: ({ subject }) => void renewed.push(subject) }, paths)
  try {
    process.emit('SIGHUP')
    writeCertificate(root, makeCertificate({ name: 'second' }))
    for (let count = 0; count < 50; count++) process.emit('SIGHUP')
    writeCertificate(root, makeCertificate({ name: 'third' }))
    expect(renewed).toEqual(['CN=first'])
    await until('the last one is done', () => renewed.length === 2)
    expect(renewed).toEqual(['CN=first', 'CN=third'])
    process.emit('SIGHUP')
    await until('a later one is done', () => renewed.length === 3)
  } finally {
    for (const listener of process.listeners('SIGHUP')) {
      if (!before.includes(listener)) process.removeListener('SIGHUP', listener)
    }
  }
})
