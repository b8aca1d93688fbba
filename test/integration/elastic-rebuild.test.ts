/** --rebuild in a group: one instance asks for it while there is no other, and those that are there by then carry it out. */
import { expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchCommitted } from '../../lib/kafka/offsets.ts'
import { partitionOf } from '../../lib/map/index.ts'
import { rebuildingMetadata } from '../../lib/topics/completeness.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { Fixture } from '../support/store/fixture.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const partitions = 4
const all = Array.from({ length: partitions }, (_, partition) => partition)
const keys = Array.from({ length: 40 }, (_, n) => `key-${n}`)
const testTimeoutMs = 180_000
const module = join(import.meta.dir, '../support/store/modules/gated.ts')

const homeOf = (key: string) => partitionOf(Buffer.from(key), partitions)

/** A key of a partition, other than `keys`. */
function gateOf(partition: number): string {
  for (let n = 0; ; n++) if (homeOf(`gate-${n}`) === partition) return `gate-${n}`
}

class Group {
  readonly #fixture: Fixture
  readonly instances = new Set<LatchkeyProcess>()

  constructor(fixture: Fixture) {
    this.#fixture = fixture
  }

  async start(settings: Record<string, string> = {}, args: readonly string[] = []): Promise<LatchkeyProcess> {
    const { source, cluster } = this.#fixture
    const common = { ...localPort, ELASTIC: 'true', SOURCE_TOPIC: source, KAFKA_BROKERS: cluster.broker.bootstrap }
    const instance = await LatchkeyProcess.start({ settings: { ...common, ...settings }, args })
    this.instances.add(instance)
    return instance
  }

  /** What a key is answered with at an instance: its value, or the code of the problem. */
  async answer(instance: LatchkeyProcess, key: string): Promise<string> {
    const answer = await instance.get(`/stores/${this.#fixture.storeId}/${key}`)
    if (answer.status === 200) return (await answer.text()).replaceAll('"', '')
    return ((await answer.json()) as { code: string }).code
  }

  /** Resolves when all keys have such an answer at an instance. */
  async untilAll(instance: LatchkeyProcess, what: string, isSo: (answer: string, key: string) => boolean) {
    let last = ''
    const areSo = async () => {
      for (const key of keys) {
        last = await this.answer(instance, key)
        if (!isSo(last, key)) return false
      }
      return true
    }
    await instance.until(what, areSo, 60_000).catch((error: Error) => {
      throw new Error(`${error.message}\nthe last answer was ${last}`)
    })
  }

  /** Metadata of the group's commits. */
  async notes(): Promise<(string | undefined)[]> {
    const { cluster, storeId, source } = this.#fixture
    const committed = await withClient(cluster.broker.direct, (client) =>
      client.retryForever(() => fetchCommitted(client, storeId, source, all)),
    )
    return all.map((partition) => committed.get(partition)?.metadata)
  }

  async end(instance: LatchkeyProcess): Promise<void> {
    this.instances.delete(instance)
    await instance.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.instances) await this.end(instance)
  }
}

/**
 * Reads all keys at instances until stopped: none has a value of before, and none is said not to exist.
 * @returns the function that stops it, and returns what was seen
 */
function watch(group: Group, instances: ReadonlySet<LatchkeyProcess>): () => Promise<Set<string>> {
  const faults: string[] = []
  const seen = new Set<string>()
  const stopping = new AbortController()
  const look = async (instance: LatchkeyProcess, key: string) => {
    const answer = await group.answer(instance, key).catch(() => 'no answer')
    if (answer === 'key_not_found' || answer.startsWith('value')) faults.push(`${key}: ${answer}`)
    seen.add(answer.startsWith('new') ? 'new' : answer)
  }
  const run = async () => {
    for (; !stopping.signal.aborted; await Bun.sleep(1)) {
      for (const instance of instances) {
        if (instance.url !== undefined) await Promise.all(keys.map((key) => look(instance, key)))
      }
    }
  }
  const running = run()
  return async () => {
    stopping.abort()
    await running
    expect(faults).toEqual([])
    return seen
  }
}

const isOld = (answer: string, key: string) => answer === `value of ${key}`
const isNew = (answer: string, key: string) => answer === `new value of ${key}`
const isRebuilding = (answer: string) => answer === 'rebuilding'

test(
  'a group is rebuilt by those that have joined it, also after kill -9, and one that runs is not',
  async () => {
    const folder = temporaryFolder('gate')
    const gate = join(folder, 'open')
    await using fixture = await Fixture.create({ partitions })
    await fixture.produce(keys.map((key) => ({ key, value: `value of ${key}`, partition: homeOf(key) })))
    await using group = new Group(fixture)
    const former = [await group.start(), await group.start()]
    for (const one of former) {
      await one.until('an instance is ready', () => one.isReady())
      await group.untilAll(one, 'it has all keys', isOld)
    }

    const beside = await group.start({ STORE_MODULE: module }, ['--rebuild'])
    expect(await beside.exited).toBe(2)
    expect(beside.stderr).toContain(`instances run already, as 2 members of group ${fixture.storeId} at `)
    await group.end(beside)
    expect(await group.notes()).not.toContain(rebuildingMetadata)
    for (const one of former) {
      expect(await one.isReady()).toBe(true)
      await group.untilAll(one, 'it still has all keys', isOld)
    }
    expect(await Promise.all(former.map((one) => one.stop()))).toEqual([0, 0])
    for (const one of former) await group.end(one)

    // Each partition waits at its last record.
    await fixture.produce(all.map((partition) => ({ key: gateOf(partition), value: gate, partition })))
    const watched = new Set<LatchkeyProcess>()
    const stopWatching = watch(group, watched)
    const first = await group.start({ STORE_MODULE: module }, ['--rebuild'])
    watched.add(first)
    await group.untilAll(first, 'the first one rebuilds', isRebuilding)
    expect(await first.isReady()).toBe(false)
    const second = await group.start({ STORE_MODULE: module })
    watched.add(second)
    await group.untilAll(second, 'the second one says so, too', isRebuilding)
    // What is being rebuilt is not copied, and so it does not move.
    const { partitions: held } = (await second.status(fixture.storeId))!
    expect(held).toMatchObject({ primary: [], replicas: [] })

    // As a service manager that starts it again with the same command line.
    const again = await group.start({ STORE_MODULE: module }, ['--rebuild'])
    expect(await again.exited).toBe(2)
    await group.end(again)

    watched.delete(first)
    await first.kill()
    await group.end(first)
    await second.until('the second one has taken all', async () => {
      return (await second.status(fixture.storeId))?.partitions.primary.length === partitions
    })
    await group.untilAll(second, 'the second one rebuilds', isRebuilding)
    expect(await group.notes()).toEqual(all.map(() => rebuildingMetadata))
    const third = await group.start({ STORE_MODULE: module })
    watched.add(third)
    await group.untilAll(third, 'the third one says so, too', isRebuilding)

    writeFileSync(gate, '')
    for (const one of [second, third]) {
      await one.until('an instance is ready', () => one.isReady())
      await group.untilAll(one, 'it has the new values', isNew)
    }
    expect((await stopWatching()).has('rebuilding')).toBe(true)
    await until('all is committed', async () => (await group.notes()).every((note) => note !== rebuildingMetadata))

    // From now on a start is one like any other.
    expect(await second.stop()).toBe(0)
    await group.end(second)
    const fourth = await group.start({ STORE_MODULE: module })
    await fourth.until('an instance is ready', () => fourth.isReady())
    for (const one of [third, fourth]) await group.untilAll(one, 'it has the new values', isNew)
    expect(fourth.stdout + fourth.stderr).not.toContain('rebuil')
    expect(await Promise.all([third.stop(), fourth.stop()])).toEqual([0, 0])
    rmSync(folder, { recursive: true })
  },
  testTimeoutMs,
)
