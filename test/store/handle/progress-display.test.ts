import { afterEach, expect, test } from 'bun:test'
import { type RecoveryProgress } from '../../../lib/contract/status.ts'
import { clearLine, configureLogging, loggerOf } from '../../../lib/log.ts'
import { showProgress } from '../../../lib/store/handle/progress-display.ts'
import { until } from '../../until.ts'

const half: RecoveryProgress = {
  phase: 'recovering',
  records: 500_000,
  bytes: 108_000_000,
  recordsPerSecond: 1_200_000,
  percent: 50,
  remainingSeconds: 0.4,
}

let written: string[] = []
let end: (() => void) | undefined

afterEach(() => {
  end?.()
  configureLogging({ level: 'error', structured: false })
})

/** A terminal, or what is none, beside a store whose progress can be set. */
function begin(isTTY: boolean, structured = false) {
  written = []
  const store = {
    shown: half as RecoveryProgress | null,
    progress: () => store.shown,
    onState: () => () => {},
  }
  const write = (text: string) => void written.push(text)
  configureLogging({ level: 'info', structured, clearsLine: isTTY, write })
  end = showProgress(store, { isTTY, columns: 200, write }, structured)
  return store
}

test('a bar has a phase and how long it takes, and ends with a clear line', async () => {
  const store = begin(true)
  await until('it is shown', () => written.length > 0)
  expect(written[0]).toBe(
    `${clearLine}Recovering from the changelog [##########----------]  50.0 %  0.4 s left  1,200,000/s  500,000 records`,
  )
  store.shown = null
  await until('it is clear', () => written.at(-1) === clearLine)
})

test('a bar is no longer than the terminal is wide, and has the time left on 80 columns', async () => {
  const store = begin(true)
  end!()
  written = []
  const terminal = { isTTY: true, columns: 80, write: (text: string) => void written.push(text) }
  end = showProgress({ ...store, progress: () => half }, terminal, false)
  await until('it is shown', () => written.length > 0)
  expect(written[0]!.length).toBeLessThan(clearLine.length + 80)
  expect(written[0]).toContain('0.4 s left')
})

test('a line of the log clears the bar first, and never runs on behind it', async () => {
  begin(true)
  await until('it is shown', () => written.length > 0)
  loggerOf('store').info('A line')
  const line = written.at(-1)!
  expect(line).toStartWith(clearLine)
  expect(line).toEndWith('A line\n')
  const before = written.length
  await until('the bar is drawn again', () => written.length > before)
  expect(written.slice(before).every((text) => text.startsWith(clearLine))).toBe(true)
})

test.each([
  ['deleting', 'Rebuilding: deleting what there was ['],
  ['rebuilding', 'Rebuilding: reading the source ['],
  ['catching-up', 'Catching up with the source ['],
] as const)('the phase %s has its name', async (phase, text) => {
  const store = begin(true)
  store.shown = { ...half, phase }
  await until('it is shown', () => written.some((one) => one.startsWith(clearLine + text)))
})

test.each([
  ['there is no terminal', false, false],
  ['output is JSON', true, true],
])('nothing but lines of the log is written where %s', async (_where, isTTY, structured) => {
  begin(isTTY, structured)
  const line = 'Recovering from the changelog: 50 %, 500000 records, 108 MB, 1200000 records/s, 0.4 s left'
  await until('progress is logged', () => written.some((one) => one.includes(line)))
  expect(written.join('')).not.toContain('\u001B')
})
