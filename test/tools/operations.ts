/** What `latchkey print` prints, checked by the tools that read it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { documents } from '../../lib/print/index.ts'
import { run } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const timeoutMs = 60_000
let folder: string

beforeAll(() => {
  folder = temporaryFolder('operations')
})

afterAll(() => rmSync(folder, { recursive: true }))

test('promtool accepts the rules of alerts', async () => {
  const path = join(folder, 'alerts.yml')
  writeFileSync(path, documents.alerts)
  const { stdout, stderr, exitCode } = await run(['promtool', 'check', 'rules', path], timeoutMs)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toContain('rules found')
})

test('promtool accepts each expression of the dashboard', async () => {
  const { panels } = JSON.parse(documents.dashboard) as { panels: { targets?: { expr: string }[] }[] }
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  const rules = expressions.map((expr, index) => {
    return { record: `panel:${index}`, expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*') }
  })
  const path = join(folder, 'dashboard.json')
  writeFileSync(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  const { stdout, stderr, exitCode } = await run(['promtool', 'check', 'rules', path], timeoutMs)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toContain(`${rules.length} rules found`)
})

test('systemd accepts the unit, and finds it hardened', async () => {
  const unit = join(folder, 'latchkey@orders.service')
  writeFileSync(unit, documents.unit.replace('/usr/local/bin/latchkey', '/bin/true'))
  const verified = await run(['systemd-analyze', 'verify', '--man=no', unit], timeoutMs)
  expect(verified).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  const security = ['systemd-analyze', 'security', '--offline=true', '--threshold=30', unit]
  expect((await run(security, timeoutMs)).exitCode).toBe(0)
})
