import { afterAll, beforeEach, expect, setSystemTime, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { Health } from '../../lib/kafka/health.ts'
import { configureLogging } from '../../lib/log.ts'

const start = 1_700_000_000_000
const error = new LatchkeyError('broker_unreachable', 'Fetch to b:1: refused')
let lines: string[]

beforeEach(() => {
  lines = []
  configureLogging({ level: 'info', structured: false, write: (line) => void lines.push(line.slice(25).trim()) })
  setSystemTime(start)
})
afterAll(() => void setSystemTime())

test('Health names trouble and since when once it has lasted a second', () => {
  const health = new Health('source consumer')
  expect(health.trouble).toBeUndefined()
  health.failed(error)
  setSystemTime(start + 900)
  expect(health.trouble).toBeUndefined()
  setSystemTime(start + 2500)
  expect(health.trouble).toBe('source consumer: Fetch to b:1: refused (for 2.5 s, trying on)')
  health.succeeded()
  expect(health).toMatchObject({ trouble: undefined, failures: 1 })
})

test('Health logs nothing when trouble passes within a second', () => {
  const health = new Health('source consumer')
  health.failed(error)
  setSystemTime(start + 900)
  health.failed(error)
  health.succeeded()
  expect(lines).toEqual([])
})

test('Health logs at most a line in 5 s when trouble lasts, and one when it ends', () => {
  const health = new Health('source consumer')
  for (let ms = 0; ms <= 12_000; ms += 100) {
    setSystemTime(start + ms)
    health.failed(error)
  }
  health.succeeded()
  expect(lines).toEqual([
    'warning kafka  source consumer: Fetch to b:1: refused; no success for 1 s, trying on',
    'warning kafka  source consumer: Fetch to b:1: refused; no success for 6 s, trying on',
    'warning kafka  source consumer: Fetch to b:1: refused; no success for 11 s, trying on',
    'info    kafka  source consumer: working again after 12 s',
  ])
})
