/** What the scheduler is asked for, as /proc shows it. Kernels before Linux 6.12 accept it without effect. */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { constants, getPriority, release } from 'node:os'
import { join } from 'node:path'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'

const shortNs = 100_000
const module = join(import.meta.dir, '../../lib/linux/short-turns.ts')
const [major = 0, minor = 0] = release().split('.').map(Number)
const isKnown = process.platform === 'linux' && (major > 6 || (major === 6 && minor >= 12))

/** Nanoseconds; undefined where the kernel does not show them. */
function turnOf(task: string): number | undefined {
  const shown = /^se\.slice\s*:\s*(\d+)/m.exec(readFileSync(`/proc/${task}/sched`, 'utf8'))?.[1]
  return shown === undefined ? undefined : Number(shown)
}

test('the threads that answer have short time slices, and no others', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('turns'), { partitions: 1 })
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, HTTP_THREADS: '2' }
  const latchkey = await LatchkeyProcess.start({ settings })
  try {
    await latchkey.until('it is ready', () => latchkey.isReady())
    const { pid } = latchkey
    const turns = readdirSync(`/proc/${pid}/task`).map((thread) => turnOf(`${pid}/task/${thread}`))
    expect(turns.filter((turn) => turn === shortNs)).toHaveLength(isKnown ? 2 : 0)
    if (isKnown) expect(turnOf(String(pid))).toBe(shortNs)
  } finally {
    await latchkey.close()
  }
})

test('a priority set for the process is kept', () => {
  const nicer = Math.min(getPriority() + 5, constants.priority.PRIORITY_LOW) // than the tests, which may be nice themselves
  const script = `
    const { askForShortTurns } = await import(${JSON.stringify(module)})
    console.log(askForShortTurns(), require('node:os').getPriority())`
  expect(outputOf('nice', '-n', '5', process.execPath, '-e', script)).toBe(`${process.platform === 'linux'} ${nicer}`)
})

test('a policy set for the process is kept', () => {
  const batch = 3
  const script = `
    const { dlopen, ptr } = await import('bun:ffi')
    const { symbols } = dlopen('libc.so.6', {
      sched_setscheduler: { args: ['i32', 'i32', 'ptr'], returns: 'i32' },
      sched_getscheduler: { args: ['i32'], returns: 'i32' },
    })
    symbols.sched_setscheduler(0, ${batch}, ptr(new Int32Array(1)))
    const { askForShortTurns } = await import(${JSON.stringify(module)})
    console.log(askForShortTurns(), symbols.sched_getscheduler(0))`
  expect(outputOf(process.execPath, '-e', script)).toBe(`false ${batch}`)
})

function outputOf(...command: string[]): string {
  return Bun.spawnSync(command).stdout.toString().trim()
}
