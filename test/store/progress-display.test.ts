import { afterEach, expect, test } from 'bun:test'
import { clearLine, configureLogging, loggerOf } from '../../lib/log/index.ts'
import type { RecoveryProgress } from '../../lib/store-protocol/status.ts'
import { showProgress } from '../../lib/store/progress-display.ts'
import { until } from '../support/until.ts'

const half: RecoveryProgress = {
  phase: 'recovering',
  records: 500_000,
  bytes: 108_000_000,
  recordsPerSecond: 1_200_000,
  percent: 50,
  remainingSeconds: 0.4,
}

/** In a run of many files, stores of others may still log. */
const ownLines = /A line|Recovering|Catching up/

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
    halted: [] as number[],
    progress: () => store.shown,
    haltedRemaining: () => store.halted,
    onState: () => () => {},
  }
  const write = (text: string) => void written.push(text)
  const writeLine = (line: string) => void (ownLines.test(line) && write(line))
  configureLogging({ level: 'info', structured, clearsLine: isTTY, write: writeLine })
  end = showProgress(store, { columns: 200, write }, isTTY && !structured)
  return store
}

test('a bar has a phase and the remaining time, and ends with a cleared line', async () => {
  const store = begin(true)
  await until('it is shown', () => written.length > 0)
  expect(written[0]).toBe(
    `${clearLine}Recovering from the changelog [##########----------]  50.0 %  0.4 s left  1,200,000/s  500,000 records`,
  )
  store.shown = null
  await until('it is clear', () => written.at(-1) === clearLine)
})

test.each([
  [80, 'Catching up with the source [####--------------]  20.7 %  3.1 s left  251,834/s'],
  [64, 'Catching up with the source [###----------]  20.7 %  3.1 s left'],
  [60, 'Catching up with the source [####----------------]  20.7 %'],
  [40, 'Catching up with the source  20.7 %'],
  [20, '20.7 %'],
  [0, 'Catching up with the source [####--------------]  20.7 %  3.1 s left  251,834/s'],
])('a bar on %d columns is shorter, or has fewer figures, and no figure is cut', async (columns, expected) => {
  const progress = { ...half, phase: 'catching-up', percent: 20.7, remainingSeconds: 3.1, recordsPerSecond: 251_834 }
  const drawn: string[] = []
  end = showProgress(
    { progress: () => progress as RecoveryProgress, haltedRemaining: () => [], onState: () => () => {} },
    { columns, write: (text) => void drawn.push(text) },
    true,
  )
  await until('it is shown', () => drawn.length > 0)
  expect(drawn[0]).toBe(clearLine + expected)
  expect(expected.length).toBeLessThan(columns || 80)
})

test('a log line clears the bar first, and never continues it', async () => {
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
  ['deleting', 'Rebuilding: deleting the former keys ['],
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
])('only log lines are written when %s', async (_where, isTTY, structured) => {
  begin(isTTY, structured)
  const line = 'Recovering from the changelog: 50 %, 500000 records, 108 MB, 1200000 records/s, 0.4 s left'
  await until('progress is logged', () => written.some((one) => one.includes(line)))
  expect(written.join('')).not.toContain('\u001B')
})

test('progress logs once that only halted partitions are behind, and nothing after that', async () => {
  const store = begin(false)
  store.shown = null
  store.halted = [0, 3]
  await until('it is logged', () => written.length > 0)
  let looks = 0
  store.progress = () => (looks++, null)
  await until('it has looked again', () => looks > 2)
  expect(written).toHaveLength(1)
  expect(written[0]).toContain('only halted partitions (0, 3) are still behind')
})
