/** How the demo ends where it cannot run: nothing of it is built or started here. */
import { expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { freePorts } from '../support/process/ports.ts'

const demo = resolve(import.meta.dir, 'main.ts')

function startDemo(flag: string, brokers: string) {
  const env = { ...process.env, KAFKA_BROKERS: brokers }
  return Bun.spawn([process.execPath, demo, flag], { env, stdout: 'pipe', stderr: 'pipe' })
}

test('the demo ends with 1 and says what to correct when nothing listens at KAFKA_BROKERS', async () => {
  const [port] = await freePorts(1)
  const child = startDemo('--once', `127.0.0.1:${port}`)
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  expect(await child.exited).toBe(1)
  expect(stderr).toBe(
    `The demo failed: Connecting to 127.0.0.1:${port}: refused. Start the broker, or correct KAFKA_BROKERS\n`,
  )
  expect(stdout).not.toContain('Kafka answers')
})

test('the demo ends with 2 when a flag is unknown', async () => {
  const child = startDemo('--onc', '127.0.0.1:1')
  expect(await child.stderr.text()).toEndWith('"--onc" is not a flag. Did you mean --once?\n')
  expect(await child.exited).toBe(2)
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  'the demo does not end with 0 when %s interrupts it before it has tried everything',
  async (signal, code) => {
    const isAsked = Promise.withResolvers<void>()
    const silent = createServer(() => isAsked.resolve())
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
    const child = startDemo('--once', `127.0.0.1:${(silent.address() as { port: number }).port}`)
    await isAsked.promise
    child.kill(signal)
    expect(await child.exited).toBe(code)
    silent.close()
  },
)
