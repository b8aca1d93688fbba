import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtExecutable } from '../support/binary/built.ts'
import { LatchkeyProcess, type StartOptions } from '../support/binary/latchkey-process.ts'
import { type Ended, runLatchkey } from '../support/binary/run-latchkey.ts'
import { makeCertificate } from '../support/http/certificate.ts'
import { createTopic, type KafkaBroker, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { freePorts } from '../support/process/ports.ts'
import { until } from '../support/until.ts'

/** More than a page, and more than a piece of a dump. */
const records = 2_000
const token = 'a-token-of-the-test'

let broker: KafkaBroker
let topic: string
let settings: Record<string, string>
let store: LatchkeyProcess

beforeAll(async () => {
  broker = await sharedKafka()
  topic = await createTopic(broker, uniqueName('commands'), { partitions: 2 })
  await send(Array.from({ length: records }, (_, index) => [`key ${index}/ä`, `{"n":${index}}`]))
  settings = {
    SOURCE_TOPIC: topic,
    KAFKA_BROKERS: broker.bootstrap,
    SERVER_BIND: '127.0.0.1',
    SERVER_PORT: String((await freePorts(1))[0]),
    SERVER_TOKEN: token,
    AUTO_FLUSH: '20',
  }
  store = await started()
})

afterAll(() => store.close())

async function started(): Promise<LatchkeyProcess> {
  const latchkey = await LatchkeyProcess.start({ settings })
  await latchkey.until('it is ready', () => latchkey.isReady())
  return latchkey
}

async function send(entries: (readonly [string, string | null])[]): Promise<void> {
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: entries.map(([key, value]) => ({ key, value })) })
  await producer.disconnect()
}

async function metrics(): Promise<string> {
  return (await store.get('/metrics', { headers: { Authorization: `Bearer ${token}` } })).text()
}

function ask(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return runLatchkey({ args, settings, ...options })
}

describe('commands that ask a running store', () => {
  test('get prints the value, and a miss is exit code 1', async () => {
    expect(await ask(['get', 'key 7/ä'])).toEqual({ stdout: '{"n":7}', stderr: '', exitCode: 0 })
    const miss = await ask(['get', 'nothing'])
    expect(miss).toMatchObject({ stdout: '', exitCode: 1 })
    expect(miss.stderr).toContain('(key_not_found)')
  })

  test('get --json prints the entry', async () => {
    const { stdout, exitCode } = await ask(['get', '--json', 'key 7/ä'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ key: 'key 7/ä', value: { n: 7 }, offset: expect.any(Number) })
    expect(await ask(['get', '--json', 'nothing'])).toMatchObject({ stdout: '', exitCode: 1 })
  })

  test('a token that is missing is named', async () => {
    const { SERVER_TOKEN: _, ...others } = settings
    const { exitCode, stderr } = await ask(['get', 'a'], { settings: others })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('(unauthorized); give SERVER_TOKEN_FILE or SERVER_TOKEN')
  })

  test('dump prints every entry once, or those of a prefix', async () => {
    const { stdout, exitCode } = await ask(['dump'])
    const keys = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { key: string }).key)
    expect(exitCode).toBe(0)
    expect(new Set(keys).size).toBe(records)
    expect(keys.length).toBe(records)
    const some = await ask(['dump', '--prefix', 'key 100'])
    expect(some.stdout.trimEnd().split('\n').length).toBe(11)
  })

  test('a reader that takes only the first line ends a dump', async () => {
    const shell = ['sh', '-c', `"$0" dump | head -n 1; echo done`, await builtExecutable()]
    const { stdout } = Bun.spawnSync(shell, { env: settings })
    expect(stdout.toString()).toMatch(/^\{"key":.*\}\ndone\n$/)
  })

  test('status prints state and partitions', async () => {
    const { stdout, exitCode } = await ask(['status'])
    const [title, keys, , header, first] = stdout.split('\n')
    expect(exitCode).toBe(0)
    expect(title).toBe(`${topic} at http://127.0.0.1:${settings['SERVER_PORT']}: running, ready`)
    expect(keys).toBe(`  ${records} keys in 2 partitions`)
    expect(header).toMatch(/^PARTITION +ROLE +STATE +POSITION +END +LAG +KEYS$/)
    expect(first).toMatch(/^0 +primary +running +\d+ +\d+ +0 +\d+$/)
    const json = await ask(['status', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ id: topic, state: 'running' })
  })

  test('watch prints changes, over a restart of the store', async () => {
    const watch = await LatchkeyProcess.start({ args: ['watch', 'watched', 'other'], settings })
    try {
      await until('it follows', async () => (await metrics()).includes('latchkey_followers 1'))
      await send([['watched', '{"n":1}']])
      await until('the change is shown', () => watch.stdout === 'put     watched  {"n":1}\n')
      await store.kill()
      await send([
        ['watched', null],
        ['other', 'text\nof two lines'],
        ['not watched', '1'],
      ])
      await store.close()
      store = await started()
      await until('both are shown', () => watch.stdout.trimEnd().split('\n').length >= 3)
      const lines = watch.stdout.trimEnd().split('\n').slice(1)
      expect(lines.toSorted()).toEqual(['delete  watched', 'put     other  text\\nof two lines'])
      expect(watch.stderr).toContain('has ended; trying again')
      expect(watch.stderr).toContain('connected again')
    } finally {
      await watch.close()
    }
  })

  test('the certificate of the settings is trusted under any name, and no other is', async () => {
    const folder = store.folder
    const { cert, key } = makeCertificate({ name: 'orders.example' })
    writeFileSync(join(folder, 'server.crt'), cert)
    writeFileSync(join(folder, 'server.key'), key)
    writeFileSync(join(folder, 'other.crt'), makeCertificate({ name: 'orders.example' }).cert)
    const tls = { ...settings, SERVER_TLS_CERT: join(folder, 'server.crt'), SERVER_TLS_KEY: join(folder, 'server.key') }
    const port = String((await freePorts(1))[0])
    const secure = await LatchkeyProcess.start({ settings: { ...tls, STORE_ID: uniqueName('tls'), SERVER_PORT: port } })
    try {
      const ofSecure = { ...tls, SERVER_PORT: port, STORE_ID: topic }
      await until('it answers', async () =>
        (await ask(['status'], { settings: ofSecure })).stderr.includes('store_not_found'),
      )
      const foreign = { ...ofSecure, SERVER_TLS_CERT: join(folder, 'other.crt') }
      const { exitCode, stderr } = await ask(['status'], { settings: foreign })
      expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringContaining('certificate') })
    } finally {
      await secure.close()
    }
  })
})
