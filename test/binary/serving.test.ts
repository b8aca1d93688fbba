import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { runLatchkey, stackTrace } from '../support/binary/run-latchkey.ts'
import { createTopic, type KafkaBroker, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { run } from '../support/process/run.ts'

const records = 50

let broker: KafkaBroker
let topic: string
let latchkey: LatchkeyProcess

beforeAll(async () => {
  broker = await sharedKafka()
  topic = await createTopic(broker, uniqueName('binary'), { partitions: 2 })
  await send(
    topic,
    Array.from({ length: records }, (_, index) => [`key ${index}/ä`, `{"n":${index}}`]),
  )
  latchkey = await LatchkeyProcess.start({ settings: settingsOf(topic) })
  await latchkey.until('it is ready', () => latchkey.isReady())
})

afterAll(() => latchkey.close())

function settingsOf(sourceTopic: string): Record<string, string> {
  return { ...localPort, SOURCE_TOPIC: sourceTopic, KAFKA_BROKERS: broker.bootstrap }
}

async function send(source: string, entries: (readonly [string, string | null])[]): Promise<void> {
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic: source, messages: entries.map(([key, value]) => ({ key, value })) })
  await producer.disconnect()
}

async function committed(group: string): Promise<number> {
  const admin = kafkaClient(broker).admin()
  await admin.connect()
  const [found] = await admin.fetchOffsets({ groupId: group, topics: [group] })
  await admin.disconnect()
  return found!.partitions.reduce((sum, { offset }) => sum + Math.max(Number(offset), 0), 0)
}

describe('a running store', () => {
  test('prints working URLs first and then a working lookup command', async () => {
    await latchkey.until('it shows a lookup', () => latchkey.stdout.includes('/stores/'))
    const [title, page, status, lookup] = latchkey.stdout.split('\n')
    const url = await latchkey.listening()
    expect(title).toContain(`store ${topic} of topic ${topic}`)
    expect(page).toBe(`  ${url}/`)
    expect((await fetch(page!.trim())).status).toBe(200)
    expect(status).toBe(`  curl '${url}/status-store/${topic}?pretty'`)
    expect(JSON.parse((await shell(status!)).stdout)).toMatchObject({ id: topic, state: 'running' })
    expect(JSON.parse((await shell(lookup!)).stdout)).toEqual({ n: expect.any(Number) })
  })

  test('answers a lookup by GET, HEAD, query and with an ETag', async () => {
    const path = `/stores/${topic}/${encodeURIComponent('key 7/ä')}`
    const found = await latchkey.get(path)
    expect([found.status, await found.text()]).toEqual([200, '{"n":7}'])
    expect(found.headers.get('content-type')).toBe('application/json')
    expect(found.headers.get('x-kafka-offset')).toMatch(/^\d+$/)
    expect(found.headers.get('x-kafka-partition')).toMatch(/^[01]$/)
    const etag = found.headers.get('etag')!
    expect((await latchkey.get(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const head = await latchkey.get(path, { method: 'HEAD' })
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag])
    const query = await latchkey.get(`/stores/${topic}?key=${encodeURIComponent('key 7/ä')}`)
    expect(await query.text()).toBe('{"n":7}')
  })

  test.each([
    ['/stores/:id/none', 'GET', 404, 'key_not_found'],
    ['/stores/:id/%zz', 'GET', 400, 'invalid_key'],
    ['/stores/other/none', 'GET', 404, 'store_not_found'],
    ['/stores/:id/none', 'PUT', 405, 'method_not_allowed'],
    ['/flush-store/:id', 'GET', 405, 'method_not_allowed'],
    ['/nowhere', 'GET', 404, 'path_not_found'],
  ])('answers %s by %s with a problem', async (path, method, status, code) => {
    const answer = await latchkey.get(path.replace(':id', topic), { method })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    const text = await answer.text()
    expect(JSON.parse(text)).toMatchObject({ status, code })
    expect(text).not.toMatch(stackTrace)
  })

  test.each([
    ['/', 'GET', /POST \/flush-store\//],
    ['/status-store/:id', 'GET', /"state":"running"/],
    ['/flush-store/:id', 'POST', /^\{"operations":\d+\}\n$/],
    ['/status-store/:id?pretty', 'GET', /^ {2}"state": "running",$/m],
    ['/livez', 'GET', /alive/],
    ['/status/liveness', 'GET', /alive/],
    ['/readyz', 'GET', /ready/],
    ['/readyz?verbose', 'GET', /\[\+\]caught_up ok/],
    ['/status/readiness', 'GET', /ready/],
    ['/metrics', 'GET', /^latchkey_records_consumed_total 50$/m],
    ['/metrics/prometheus', 'GET', /^latchkey_records_consumed_total 50$/m],
  ])('answers %s by %s', async (path, method, body) => {
    const answer = await latchkey.get(path.replace(':id', topic), { method })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toMatch(body)
  })

  test('prints only requested output on stdout, and no stack trace anywhere', () => {
    expect(latchkey.stdout.trim().split('\n')).toHaveLength(4)
    expect(latchkey.stderr).toContain(`Changelog ${topic}-changelog is empty, nothing to recover`)
    expect(latchkey.stderr).not.toMatch(stackTrace)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s, after committing everything', async (signal) => {
    const source = await createTopic(broker, uniqueName('signal'))
    const store = await LatchkeyProcess.start({ settings: settingsOf(source) })
    try {
      await store.until('it is ready', () => store.isReady())
      await send(source, [
        ['a', '1'],
        ['b', '2'],
      ])
      await store.until('it has read them', async () => (await store.metric('latchkey_partition_position')) === 2)
      store.signal(signal)
      expect(await store.exited).toBe(0)
      expect(await committed(source)).toBe(2)
      expect(store.stderr).not.toMatch(stackTrace)
    } finally {
      await store.close()
    }
  })
})

describe('a start', () => {
  test('exits with 1 and names topic and brokers when the source topic does not exist, with --check too', async () => {
    const missing = uniqueName('missing')
    const settings = settingsOf(missing)
    for (const { stderr, exitCode } of await Promise.all([
      runLatchkey({ settings }),
      runLatchkey({ settings, args: ['--check'] }),
    ])) {
      expect(exitCode).toBe(1)
      expect(stderr).toContain(`source topic ${missing} does not exist on ${broker.bootstrap}: create it, or correct`)
      expect(stderr).not.toMatch(stackTrace)
    }
  })

  test('exits with 1 when the changelog has another number of partitions', async () => {
    const changelog = await createTopic(broker, uniqueName('other'), { partitions: 3 })
    const settings = { ...settingsOf(topic), STORE_ID: 'other', CHANGELOG_TOPIC: changelog }
    const { stderr, exitCode } = await runLatchkey({ settings })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`source ${topic} has 2 partitions, changelog ${changelog} has 3`)
  })

  test('changes nothing and reports what it would do with --check', async () => {
    const source = await createTopic(broker, uniqueName('check'), { partitions: 2 })
    const { stdout, stderr, exitCode } = await runLatchkey({ settings: settingsOf(source), args: ['--check'] })
    expect([stderr, exitCode]).toEqual(['', 0])
    expect(stdout).toContain(`source ${source}: 2 partitions`)
    expect(stdout).toContain(
      `changelog ${source}-changelog: would be created with 2 partitions, cleanup.policy=compact`,
    )
    const admin = kafkaClient(broker).admin()
    await admin.connect()
    expect(await admin.listTopics()).not.toContain(`${source}-changelog`)
    await admin.disconnect()
  })
})

/** As a person would paste it. */
function shell(command: string) {
  return run(['/bin/sh', '-c', command], 10_000)
}
