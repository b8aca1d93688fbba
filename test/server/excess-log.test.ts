import { expect, test } from 'bun:test'
import { configureLogging } from '../../lib/log/index.ts'
import { ExcessLog } from '../../lib/server/excess-log.ts'

test('closed connections are logged in one line, with the number of open ones', () => {
  const lines: string[] = []
  configureLogging({ level: 'info', structured: false, write: (line) => void lines.push(line.slice(25).trim()) })
  const log = new ExcessLog()
  log.report()
  log.closed(1, 768)
  log.closed(128, 640)
  log.report()
  log.report()
  const advice = 'SERVER_CONNECTIONS_MAX or the limit of descriptors allows no more'
  expect(lines).toEqual([
    `warning http   Taking connections: 768 were open, and 129 beyond them were closed; ${advice}`,
  ])
})
