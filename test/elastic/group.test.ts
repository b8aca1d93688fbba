/** A group of instances with Kafka's own coordinator. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { isInstance, LatchkeyError } from '../../lib/errors.ts'
import { partitionFor } from '../../lib/store/partitioner.ts'
import { TestGroup, type TestInstance } from '../support/elastic/group-fixture.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const partitions = 6
const all = Array.from({ length: partitions }, (_, partition) => partition)
const keys = Array.from({ length: 200 }, (_, n) => `key-${n}`)
const withinMs = 40_000

let fixture: Fixture
beforeAll(async () => (fixture = await Fixture.create({ partitions })))
afterAll(() => fixture[Symbol.asyncDispose]())

function produce(round: number): Promise<void> {
  return fixture.produce(keys.map((key) => ({ key, partition: partitionOf(key), value: `${key} ${round}` })))
}

/** What each key is answered with: its value, or the code of the error and the URL that it names. */
async function answersOf({ store }: Pick<TestInstance, 'store'>): Promise<Map<string, string>> {
  const answers = new Map<string, string>()
  for (const key of keys) {
    try {
      const found = await store.get(Buffer.from(key))
      answers.set(key, found === undefined ? 'no such key' : Buffer.from(found.value).toString())
    } catch (error) {
      if (!isInstance(error, LatchkeyError)) throw error
      answers.set(key, `${error.code} ${String(error.details['url'])}`)
    }
  }
  return answers
}

function partitionOf(key: string): number {
  return partitionFor(Buffer.from(key), partitions, 'murmur2')!
}

/** Reads all keys of all instances until stopped: none may be missing. Returns the function that stops it. */
function watch(instances: () => readonly TestInstance[]): () => Promise<string[]> {
  const faults: string[] = []
  const stopping = new AbortController()
  const run = async () => {
    for (; !stopping.signal.aborted; await Bun.sleep(1)) {
      for (const instance of instances()) {
        for (const [key, answer] of await answersOf(instance)) {
          if (answer === 'no such key') faults.push(`${key} at ${instance.url}`)
        }
      }
    }
  }
  const running = run()
  return async () => {
    stopping.abort()
    await running
    return faults
  }
}

/** Whether these instances have each partition once as a primary, and so many copies of each. */
function isShared(instances: readonly TestInstance[], copies: number): boolean {
  for (const { failures } of instances) if (failures.length > 0) throw new Error(failures.join('; '))
  const primaries = instances.flatMap(({ held }) => held.primaries)
  const replicas = instances.flatMap(({ held }) => held.replicas)
  const isOnce = primaries.toSorted((a, b) => a - b).join() === all.join()
  const counts = instances.map(({ held }) => held.primaries.length)
  const isBalanced = Math.max(...counts) - Math.min(...counts) <= 1
  const isCopied = all.every((partition) => replicas.filter((one) => one === partition).length === copies)
  const isAtRest = instances.every(({ group, failing }) => {
    return group.state === 'stable' && group.waitsFor.length === 0 && failing.length === 0
  })
  return isOnce && isBalanced && isCopied && isAtRest
}

test(
  'instances share partitions, answer what they hold and name who has the rest, and hand over when they stop',
  async () => {
    await using group = new TestGroup(fixture)
    await produce(1)
    const first = group.start({ number: 1 })
    await until('the first instance has everything', () => isShared([first], 0), withinMs)
    expect(new Set((await answersOf(first)).values())).toEqual(new Set(keys.map((key) => `${key} 1`)))

    const running = new Set([first])
    const stopWatching = watch(() => [...running])
    const [second, third] = [group.start({ number: 2 }), group.start({ number: 3 })]
    const three = [first, second, third]
    for (const one of three) running.add(one)
    await until('three instances share the partitions', () => isShared(three, 1), withinMs)
    expect(three.map(({ group: { isLeader } }) => isLeader).filter(Boolean)).toHaveLength(1)
    expect(first.group.members.map(({ url }) => url).toSorted()).toEqual(three.map(({ url }) => url))
    for (const instance of three) {
      const { primaries, replicas } = instance.held
      for (const [key, answer] of await answersOf(instance)) {
        const partition = partitionOf(key)
        const owner = three.find(({ held }) => held.primaries.includes(partition))!
        const isHeld = primaries.includes(partition) || replicas.includes(partition)
        // A copy that is not counted, since it leaves, may answer, too.
        if (!isHeld && answer === `${key} 1`) continue
        expect(answer).toBe(isHeld ? `${key} 1` : `partition_not_held ${owner.url}`)
      }
    }

    // Kafka's own tool shows members with their partitions and lag.
    const args = ['--bootstrap-server', fixture.cluster.broker.bootstrap, '--describe', '--group', fixture.storeId]
    const shown = await fixture.cluster.broker.java('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', args)
    const rows = shown.stdout.split('\n').map((line) => line.split(/\s+/))
    const owned = rows.filter(([, topic]) => topic === fixture.source)
    const described = new Map(owned.map(([, , partition, , , , memberId]) => [Number(partition), memberId]))
    for (const { held, group: status } of three) {
      for (const partition of held.primaries) expect(described.get(partition)).toBe(status.memberId)
    }

    running.delete(third)
    await third.stop()
    await until('two instances share the partitions', () => isShared([first, second], 1), withinMs)
    running.delete(second)
    await second.stop()
    expect(await stopWatching()).toEqual([])
    await produce(2)
    await until('the last instance has everything', () => isShared([first], 0), withinMs)
    await until('it has read what came meanwhile', async () => {
      const answers = await answersOf(first)
      return keys.every((key) => answers.get(key) === `${key} 2`)
    })
    // An instance that writes by hand does not start beside the group.
    const early = fixture.open()
    expect(await early.failed).toMatchObject({ code: 'invalid_settings' })
    // The last one stays primary until it has committed what it has read.
    const taken = () => first.store.stats.count('promotions')
    const before = taken()
    await first.stop()
    expect(taken()).toBe(before)
    const committed = [...(await fixture.committed()).values()].reduce((sum, offset) => sum + offset, 0)
    expect(committed).toBe(2 * keys.length)
    // Without a group, the partitions are those of the instance, from where the group has committed.
    const manual = fixture.open()
    await fixture.quiet(manual)
    expect(manual.stats.count('recordsConsumed')).toBe(0)
    expect(new Set((await answersOf({ store: manual })).values())).toEqual(new Set(keys.map((key) => `${key} 2`)))
    await manual.close()
  },
  3 * withinMs,
)

test(
  'a member that must not differ but does gets nothing, says why, and changes nothing for the others',
  async () => {
    await using group = new TestGroup(fixture)
    const first = group.start({ number: 1, token: 'a token that both have' })
    await until('the first instance has everything', () => isShared([first], 0), withinMs)
    const other = group.start({ number: 2, token: 'a token that both have', settings: { partitioner: 'crc32' } })
    const reasonOf = ({ store }: TestInstance) => store.status().conditions.find(({ ok }) => !ok)
    const message = 'PARTITIONER differs from the other members: set it as they have it'
    await until('the other instance knows why', () => reasonOf(other)?.reason === message, withinMs)
    expect(reasonOf(other)!.name).toBe('in_group')
    const stranger = group.start({ number: 3, token: 'another token' })
    await until('the stranger knows why', () => reasonOf(stranger)?.reason?.includes('SERVER_TOKEN') === true, withinMs)
    expect([other.held, stranger.held]).toEqual([
      { primaries: [], replicas: [] },
      { primaries: [], replicas: [] },
    ])
    expect(isShared([first], 0)).toBe(true)
    await until('the first one names both', () => first.group.excluded.length === 2, withinMs)
  },
  3 * withinMs,
)
