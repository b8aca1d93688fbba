import { afterAll, afterEach, beforeEach, expect, setSystemTime, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { Health } from '../../../lib/kafka/connection/health.ts'
import { brokerError } from '../../../lib/kafka/protocol/error-codes.ts'
import { configureLogging } from '../../../lib/log/index.ts'

const start = 1_700_000_000_000
const error = new LatchkeyError('broker_unreachable', 'Fetch to b:1: refused')
const advice = '. Correct KAFKA_BROKERS, unless a broker is still to start there'
let lines: string[]
const all: Health[] = []

beforeEach(() => {
  lines = []
  configureLogging({ level: 'info', structured: false, write: (line) => void lines.push(line.slice(25).trim()) })
  setSystemTime(start)
})
afterEach(() => {
  for (const health of all.splice(0)) health.stop()
})
afterAll(() => void setSystemTime())

function healthOf(subject: string): Health {
  const health = new Health(subject)
  all.push(health)
  return health
}

test('Health reports trouble and since when once it has lasted a second', () => {
  const health = healthOf('source consumer')
  expect(health.trouble).toBeUndefined()
  health.failed(error)
  setSystemTime(start + 900)
  expect(health.trouble).toBeUndefined()
  setSystemTime(start + 2500)
  expect(health.trouble).toBe(`source consumer: Fetch to b:1: refused (for 2.5 s, still retrying)${advice}`)
  health.succeeded()
  expect(health).toMatchObject({ trouble: undefined, failures: 1 })
})

test('Health counts a leader that moves, or a topic that is new, as a failure only after a second', () => {
  const health = healthOf('source consumer')
  const moved = (partition: number) => {
    health.failed(brokerError(`Fetch of partition ${partition}`, 6), { partitions: [partition], broker: 'b:1' })
  }
  for (const partition of [0, 0, 1]) moved(partition)
  setSystemTime(start + 900)
  moved(0)
  expect(health.failures).toBe(0)
  setSystemTime(start + 1_100)
  moved(0)
  moved(2)
  expect(health.failures).toBe(1)
  health.failed(brokerError('Fetch', 2))
  expect(health.failures).toBe(2)
})

test('Health logs nothing when trouble passes within a second', () => {
  const health = healthOf('source consumer')
  health.failed(error)
  setSystemTime(start + 900)
  health.failed(error)
  health.report()
  health.succeeded()
  expect(lines).toEqual([])
})

test('Health logs trouble that lasts less and less often, and one line when it ends', () => {
  const health = healthOf('source consumer')
  health.failed(error)
  for (let ms = 0; ms <= 300_000; ms += 100) {
    setSystemTime(start + ms)
    health.report()
  }
  health.succeeded()
  const logged = [1, 6, 16, 36, 76, 136, 196, 256].map((seconds) => {
    return `warning kafka  source consumer: Fetch to b:1: refused; no success for ${seconds} s, still retrying${advice}`
  })
  expect(lines).toEqual([...logged, 'info    kafka  source consumer: working again after 300 s'])
})

test('Health logs another kind of trouble within 5 s, however long the first one has lasted', () => {
  const health = healthOf('changelog producer')
  health.failed(error, { partitions: [0], broker: 'b:1' })
  for (let ms = 0; ms <= 110_000; ms += 1_000) {
    setSystemTime(start + ms)
    if (ms === 80_000) health.failed(error, { partitions: [1], broker: 'b:2' })
    health.report()
  }
  const times = lines.map((line) => Number(/no success for (\d+) s/.exec(line)![1]))
  // Both at 81 s, then after 5, 10 and 20 s.
  expect(times).toEqual([1, 6, 16, 36, 76, 81, 1, 86, 6, 96, 16])
})

test('Health logs at once when trouble begins again', () => {
  const health = healthOf('source consumer')
  for (const begin of [0, 100_000]) {
    for (let ms = 0; ms <= 40_000; ms += 1_000) {
      setSystemTime(start + begin + ms)
      if (ms === 0) health.failed(error)
      health.report()
    }
    health.succeeded()
  }
  const times = lines.flatMap((line) => /no success for (\d+) s/.exec(line)?.[1] ?? []).map(Number)
  expect(times.slice(times.length / 2)).toEqual(times.slice(0, times.length / 2))
})

test('Health keeps the trouble of a partition when all others work, and names it, its broker and since when', () => {
  const health = healthOf('changelog producer')
  health.failed(error, { partitions: [0], broker: 'b:1' })
  health.failed(error, { partitions: [3], broker: 'b:1' })
  for (let ms = 0; ms <= 3_000; ms += 1_000) {
    setSystemTime(start + ms)
    health.failed(error, { partitions: [0], broker: 'b:1' })
    health.succeeded(1)
    health.succeeded()
    health.report()
  }
  expect(health.trouble).toBe(
    'changelog producer: Fetch to b:1: refused (partitions 0, 3 at b:1, for 3 s, still retrying)',
  )
  health.succeeded(3)
  expect(health.partitionTroubles).toEqual([
    {
      partition: 0,
      client: 'changelog producer',
      broker: 'b:1',
      since: new Date(start).toISOString(),
      message: 'Fetch to b:1: refused',
    },
  ])
  setSystemTime(start + 6_000)
  health.report()
  health.over(0)
  expect([health.trouble, health.partitionTroubles]).toEqual([undefined, []])
  setSystemTime(start + 9_000)
  health.succeeded(1)
  health.succeeded(1)
  expect(lines).toEqual([
    'warning kafka  changelog producer: Fetch to b:1: refused (partitions 0, 3 at b:1); no success for 1 s, still retrying',
    'warning kafka  changelog producer: Fetch to b:1: refused (partition 0 at b:1); no success for 6 s, still retrying',
    'info    kafka  changelog producer: working again after 6 s',
  ])
})

test('Health does not report a recovery when the failed operation is no longer attempted', () => {
  const health = healthOf('source consumer')
  const operation = Symbol('operation')
  health.failed(error, { partitions: [0] })
  health.failed(error, { operation })
  setSystemTime(start + 14_000)
  health.report()
  for (const key of [0, operation]) health.over(key)
  expect(lines.filter((line) => !line.includes('no success for 14 s'))).toEqual([])
})

test('Health shows one line for partitions with the same trouble, and one for each other trouble', () => {
  const health = healthOf('changelog producer')
  for (const partition of [4, 2]) {
    health.failed(brokerError(`Writing to log partition ${partition}`, 19), { partitions: [partition], broker: 'b:1' })
  }
  health.failed(brokerError('Writing to log partition 5', 6), { partitions: [5], broker: 'b:2' })
  setSystemTime(start + 1_000)
  health.report()
  const end = 'no success for 1 s, still retrying'
  expect(lines).toEqual([
    `warning kafka  changelog producer: Writing to log partition 4: the broker answered NOT_ENOUGH_REPLICAS (partitions 2, 4 at b:1); ${end}`,
    `warning kafka  changelog producer: Writing to log partition 5: the broker answered NOT_LEADER_OR_FOLLOWER (partition 5 at b:2); ${end}`,
  ])
})

test('Health advises no other address once a broker has answered', () => {
  const health = healthOf('source consumer')
  health.succeeded()
  health.failed(error)
  setSystemTime(start + 1_000)
  health.report()
  expect([health.trouble, health.lastFound, ...lines].join()).not.toContain('KAFKA_BROKERS')
})

test('Health does not report abandoned operations as still retrying', () => {
  const health = healthOf('source consumer')
  health.failed(error)
  setSystemTime(start + 1_000)
  expect(health.lastFound).toBe(`Fetch to b:1: refused${advice}`)
})

test('Health shows one line for operations that fail in the same way', () => {
  const health = healthOf('source consumer')
  for (const request of ['Metadata', 'ApiVersions']) {
    health.failed(new LatchkeyError('broker_unreachable', `${request} to b:1: refused`), { operation: Symbol(request) })
  }
  health.failed(new LatchkeyError('broker_unreachable', 'Metadata to b:2: refused'), { operation: Symbol('other') })
  setSystemTime(start + 1_000)
  health.report()
  expect(lines.map((line) => /: (.*?);/.exec(line)![1])).toEqual([
    'Metadata to b:1: refused',
    'Metadata to b:2: refused',
  ])
})

test('Health keeps the trouble of an operation when another one works', () => {
  const health = healthOf('changelog producer')
  const [one, other] = [Symbol('one'), Symbol('other')]
  health.failed(error, { operation: one })
  health.failed(error, { operation: other })
  setSystemTime(start + 2_000)
  health.succeeded(other)
  expect(health.trouble).toContain('for 2 s')
  health.over(one)
  expect(health.trouble).toBeUndefined()
})

test('Health bounds its lines and the names in them', () => {
  const health = healthOf('changelog producer')
  health.failed(error, { partitions: Array.from({ length: 500 }, (_, partition) => partition), broker: 'b:1' })
  for (let kind = 0; kind < 50; kind++) {
    health.failed(new LatchkeyError('broker_error', `trouble ${kind}`), { operation: Symbol(String(kind)) })
  }
  setSystemTime(start + 1_000)
  health.report()
  expect(lines).toHaveLength(6)
  expect(lines[0]).toContain('18, 19 and 480 more at b:1')
  expect(lines.at(-1)).toContain('46 more troubles')
})

test('Health names the partitions that an operation waits for, once each', () => {
  const health = healthOf('source consumer')
  const attempted = 'Looking up the earliest offset of orders partition 0'
  const leaderless = brokerError(attempted, 5, undefined, [0, 3])
  const operation = Symbol('operation')
  health.failed(leaderless, { operation })
  health.failed(leaderless, { operation: Symbol('another') })
  setSystemTime(start + 2_000)
  const message = `${attempted}: the broker answered LEADER_NOT_AVAILABLE`
  expect(health.trouble).toBe(`source consumer: ${message} (partitions 0, 3, for 2 s, still retrying)`)
  expect(health.partitionTroubles).toEqual(
    [0, 3].map((partition) => ({
      partition,
      client: 'source consumer',
      broker: null,
      since: new Date(start).toISOString(),
      message,
    })),
  )
  health.succeeded(operation)
})

test('Health reports nothing more once it is stopped', () => {
  const health = healthOf('source consumer')
  health.failed(error)
  setSystemTime(start + 2500)
  health.stop()
  health.report()
  expect(lines).toEqual([])
  expect(health.trouble).toBeUndefined()
})
