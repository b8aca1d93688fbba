/** A store in a control group that is too small for its topic. The kernel would end it at each start. */
import { beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { fillTopic } from '../bench/topics/filler.ts'
import { builtExecutable } from '../support/binary/built.ts'
import { localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { ControlGroup } from '../support/process/control-group.ts'
import { until } from '../support/until.ts'

const mebibyte = 2 ** 20
const limitBytes = 260 * mebibyte
/** 230 MiB with their index. */
const records = 1_000_000
const topic = uniqueName('group')
const timeoutMs = 120_000

let executable: string
let settings: Record<string, string>

beforeAll(async () => {
  executable = await builtExecutable()
  const { bootstrap } = await sharedKafka()
  const partitions = 4
  await createTopic(await sharedKafka(), topic, { partitions })
  await fillTopic(bootstrap, { topic, partitions, records, keys: records, round: 0, valueBytes: 170 })
  settings = { SOURCE_TOPIC: topic, KAFKA_BROKERS: bootstrap, ...localPort }
}, timeoutMs)

/** Starts a store, in a group or without a limit. */
function start(id: string, group?: ControlGroup, args: readonly string[] = []) {
  const command = `${group === undefined ? '' : `${group.enter} && `}exec "$0" "$@"`
  const options = { env: { ...settings, STORE_ID: id }, stdout: 'pipe', stderr: 'pipe' } as const
  const spawned = Bun.spawn(['/bin/sh', '-c', command, executable, ...args], options)
  let output = ''
  const read = async (from: ReadableStream<Uint8Array>) => {
    for await (const part of from) output += Buffer.from(part).toString()
  }
  const ended = Promise.all([spawned.exited, read(spawned.stdout), read(spawned.stderr)])
  const stop = async () => {
    spawned.kill('SIGTERM')
    await ended
    return spawned.exitCode
  }
  return { spawned, ended, stop, output: () => output }
}

test(
  'a store fills up in its group and answers, at each start',
  async () => {
    using group = new ControlGroup(`latchkey-${uniqueName('full')}`, limitBytes)
    for (let round = 0; round < 3; round++) {
      const store = start('full', group)
      await until('it is full', () => {
        if (store.spawned.exitCode !== null || store.spawned.signalCode !== null) throw new Error(store.output())
        return store.output().includes('Memory is full: ')
      })
      expect(store.output()).toContain('MEMORY_MAX=234M leaves 78 MiB for them')
      const url = /http:\/\/[^/\s]+(?=\/)/.exec(store.output())![0]
      await until('it is ready', async () => (await fetch(`${url}/readyz`)).status === 200)
      expect((await fetch(`${url}/stores/full/user-0`)).status).toBe(200)
      const resident = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${store.spawned.pid}/status`, 'utf8'))![1])
      expect(resident * 1024).toBeLessThan(234 * mebibyte)
      expect(await store.stop()).toBe(0)
    }
  },
  timeoutMs,
)

test(
  'a store that has grown outside of its group ends with one sentence there, and so does --check',
  async () => {
    const grown = start('grown')
    await until('it has everything', () => grown.output().includes('Caught up with '), timeoutMs)
    expect(await grown.stop()).toBe(0)
    using group = new ControlGroup(`latchkey-${uniqueName('grown')}`, limitBytes)
    const sentence =
      'Starting store grown: 1000000 entries of 198 MiB need 230 MiB with their index, and MEMORY_MAX=234M leaves 78 MiB for them. Raise MEMORY_MAX, or the limit of the control group that it follows, to at least 512M, or hold fewer partitions here'
    for (const args of [[], ['--check']]) {
      const store = start('grown', group, args)
      await store.ended
      expect([store.spawned.signalCode, store.spawned.exitCode]).toEqual([null, 1])
      expect(store.output()).toContain(sentence)
    }
  },
  timeoutMs,
)
