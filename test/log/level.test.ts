import { afterAll, describe, expect, test } from 'bun:test'
import { configureLogging, isDebug, isTrace, passOnLog } from '../../lib/log/index.ts'
import { type LogLevel, logLevels } from '../../lib/log/level.ts'

afterAll(() => configureLogging({ level: 'error', structured: false }))

/** Levels at which isDebug() and isTrace() return true. */
function enabledLevels(configure: (level: LogLevel) => void): { debug: LogLevel[]; trace: LogLevel[] } {
  const debug: LogLevel[] = []
  const trace: LogLevel[] = []
  for (const level of logLevels) {
    configure(level)
    if (isDebug()) debug.push(level)
    if (isTrace()) trace.push(level)
  }
  return { debug, trace }
}

describe('isDebug and isTrace', () => {
  const expected: { debug: LogLevel[]; trace: LogLevel[] } = { debug: ['trace', 'debug'], trace: ['trace'] }

  test('follow the level of configureLogging', () => {
    expect(enabledLevels((level) => configureLogging({ level, structured: false }))).toEqual(expected)
  })

  test('follow the level of passOnLog', () => {
    expect(enabledLevels((level) => passOnLog(level, () => {}))).toEqual(expected)
  })

  test('are false before configuration, and follow levelConfigured() when the program configures LogTape', async () => {
    const script = `
      import { configureSync } from '@logtape/logtape'
      import { isDebug, isTrace, levelConfigured } from './lib/log/index.ts'
      const show = () => console.log(levelConfigured(), isDebug(), isTrace())
      console.log('before', isDebug(), isTrace())
      show()
      for (const lowestLevel of ['trace', 'debug', 'info']) {
        const loggers = [{ category: 'latchkey', lowestLevel, sinks: ['none'] }]
        configureSync({ reset: true, sinks: { none: () => {} }, loggers: [...loggers, { category: ['logtape', 'meta'], sinks: [] }] })
        show()
      }
    `
    const child = Bun.spawn([process.execPath, '-e', script], { cwd: `${import.meta.dir}/../..`, stdout: 'pipe' })
    const lines = (await child.stdout.text()).trim().split('\n')
    expect(lines).toEqual([
      'before false false',
      'undefined false false',
      'trace true true',
      'debug true false',
      'info false false',
    ])
    expect(await child.exited).toBe(0)
  })
})
