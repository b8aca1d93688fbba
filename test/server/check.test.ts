import { expect, test } from 'bun:test'
import { readCommand } from '../../lib/config/index.ts'
import { definitionOf } from '../../lib/definition/index.ts'
import { messageOf } from '../../lib/errors.ts'
import { check } from '../../lib/server/check.ts'
import { freePorts } from '../support/process/ports.ts'

test('check reports an address without a broker and one that the machine lacks, together', async () => {
  const [port = 0] = await freePorts(1)
  const environment = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: `127.0.0.1:${port}` }
  const command = readCommand({ argv: ['--check'], environment, envDirectories: [] })
  if (!('settings' in command)) throw new Error(`read as ${command.action}`)
  const { settings } = command
  const { lines, faults } = await check(settings, await definitionOf(settings), { bind: '192.0.2.1', port: 0 }, ['one'])
  // In a run of many files, registries of other files' codecs are asked, too.
  const own = faults.map(messageOf).filter((fault) => !fault.startsWith('Asking the schema registry'))
  expect(own).toEqual([
    expect.stringContaining('Listening at 192.0.2.1 port 0: this machine has no such address'),
    `Connecting to 127.0.0.1:${port}: refused. Start the broker, or correct KAFKA_BROKERS`,
  ])
  expect(lines.at(-1)).toBe('warning: one')
})
