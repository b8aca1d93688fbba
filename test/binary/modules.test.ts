/** Store modules beside the executable, away from the source tree and any node_modules: what they make of records, and how their faults end a start. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Case, cases } from '../examples/cases.ts'
import { builtExecutable } from '../support/binary/built.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { runLatchkey } from '../support/binary/run-latchkey.ts'
import { createTopic, type KafkaBroker, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

let folder: string
let broker: KafkaBroker

beforeAll(async () => {
  broker = await sharedKafka()
  folder = temporaryFolder('modules')
  linkSync(await builtExecutable(), join(folder, 'latchkey'))
  for (const { module, files = [] } of cases) {
    for (const file of [`${module}.ts`, ...files]) {
      cpSync(join(import.meta.dir, '../examples', file), join(folder, file))
    }
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

async function send(topic: string, records: Case['records']): Promise<void> {
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  const messages = records.map(([key, value]) => ({ key, value: value === null ? null : Buffer.from(value) }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

async function start(topic: string, module: string): Promise<LatchkeyProcess> {
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, STORE_MODULE: module }
  const latchkey = await LatchkeyProcess.start({ path: join(folder, 'latchkey'), settings })
  await latchkey.until('it is ready', () => latchkey.isReady())
  await latchkey.get(`/flush-store/${topic}`, { method: 'POST' })
  return latchkey
}

async function lookUp(latchkey: LatchkeyProcess, topic: string, key: string): Promise<unknown> {
  const answer = await latchkey.get(`/stores/${topic}/${encodeURIComponent(key)}`)
  return answer.status === 404 ? null : answer.json()
}

describe('the executable', () => {
  test.each(cases)('converts records as $module says, and keeps the result over a restart', async (example) => {
    const { module, records, stored, bad = [] } = example
    const topic = await createTopic(broker, uniqueName('module'), { partitions: 2 })
    await send(topic, records)
    for (const run of ['first', 'second']) {
      const latchkey = await start(topic, `${module}.ts`)
      try {
        for (const [key, value] of Object.entries(stored)) expect(await lookUp(latchkey, topic, key)).toEqual(value)
        if (run === 'first') {
          // The log has one line for several in a row.
          if (bad.length > 0) expect(latchkey.stderr).toContain(bad[0]!)
          expect(await latchkey.metric('latchkey_records_skipped_total')).toBe(bad.length)
        }
        expect(await latchkey.stop()).toBe(0)
      } finally {
        await latchkey.close()
      }
    }
  })

  test('loads a module in JavaScript with the files that it imports', async () => {
    mkdirSync(join(folder, 'parts'))
    writeFileSync(
      join(folder, 'parts/fail.ts'),
      'export function fail(text: string): never {\n  throw new Error(`no ${text}`)\n}\n',
    )
    writeFileSync(
      join(folder, 'plain.js'),
      `import { defineStore } from 'latchkey'
       import { fail } from './parts/fail.ts'
       export default defineStore({ key: 'int64', input: 'utf8', convert: (text) => (text === 'bad' ? fail(text) : text + '!') })`,
    )
    const topic = await createTopic(broker, uniqueName('module'))
    await send(topic, [
      ['\0\0\0\0\0\0\0\u0007', 'good'],
      ['\0\0\0\0\0\0\0\u0008', 'bad'],
      ['short', 'good'],
    ])
    const latchkey = await start(topic, './plain.js')
    try {
      expect(await lookUp(latchkey, topic, '7')).toBe('good!')
      expect(await lookUp(latchkey, topic, '8')).toBeNull()
      expect(latchkey.stderr).toContain('convert failed: parts/fail.ts:2: no bad')
      expect(await latchkey.metric('latchkey_records_skipped_total')).toBe(2)
      const refused = await latchkey.get(`/stores/${topic}/seven`)
      expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ code: 'invalid_key' })])
    } finally {
      await latchkey.close()
    }
  })

  test('reports its module in --check', async () => {
    const topic = await createTopic(broker, uniqueName('module'))
    const settings = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, STORE_MODULE: 'count-updates.ts' }
    const { stdout, exitCode } = await runLatchkey({ path: join(folder, 'latchkey'), settings, args: ['--check'] })
    expect(stdout).toContain('store module count-updates.ts: keys utf8, values json; it has onNew, onUpdate\n')
    expect(exitCode).toBe(0)
  })

  test('uses its own latchkey and valibot when others are installed', async () => {
    for (const name of ['latchkey', 'valibot']) {
      mkdirSync(join(folder, 'node_modules', name), { recursive: true })
      writeFileSync(join(folder, 'node_modules', name, 'package.json'), JSON.stringify({ name, main: 'index.js' }))
      writeFileSync(join(folder, 'node_modules', name, 'index.js'), `throw new Error('the installed one')`)
    }
    const topic = await createTopic(broker, uniqueName('module'))
    const settings = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, STORE_MODULE: 'redact.ts' }
    const { stderr, exitCode } = await runLatchkey({ path: join(folder, 'latchkey'), settings, args: ['--check'] })
    expect(stderr).not.toContain('the installed one')
    expect(exitCode).toBe(0)
  })

  test.each([
    ['syntax.ts', 'export default (\n', /: syntax\.ts:1:17: Unexpected end of file: export default \(\n/],
    [
      'throws.ts',
      "const a: any = JSON.parse('{}')\n\nexport default a.b.c\n",
      /: throws\.ts:3:\d+: undefined is not an object \(evaluating 'a\.b\.c'\)\n/,
    ],
    [
      'other.ts',
      'export default { key: 1 }\n',
      /other\.ts: its default export is an object that defineStore has not made/,
    ],
    [
      'package.ts',
      `import z from 'zod'\nexport default z\n`,
      /: package\.ts:1: there is no package zod: latchkey and valibot are built in/,
    ],
    [
      'format.ts',
      `import { defineStore } from 'latchkey'\n\nexport default defineStore({ key: 'utf-8', input: 'json' })\n`,
      /: format\.ts:3:\d+: key: there is no format "utf-8": did you mean "utf8"\?\n/,
    ],
    [
      'proto.ts',
      `import { defineStore, protobuf } from 'latchkey'\nexport default defineStore({ key: 'utf8', input: protobuf({ file: './no.proto', message: 'A' }) })\n`,
      /: proto\.ts:2:\d+: input: .*no\.proto/,
    ],
  ])('exits with 2 when the module has a fault: %s', async (name, text, found) => {
    writeFileSync(join(folder, name), text)
    const settings = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: '127.0.0.1:1', STORE_MODULE: name }
    const { stdout, stderr, exitCode } = await runLatchkey({ path: join(folder, 'latchkey'), settings })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toStartWith('latchkey: Loading the store module ')
    expect(stderr).toMatch(found)
    expect(stderr.split('\n')).toHaveLength(3)
    expect(stderr).not.toMatch(/^\s+at .+/m)
  })
})
