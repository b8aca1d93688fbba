/**
 * Feeds over real followers, while partitions move between copies that are behind by random amounts: what a client folds
 * is what was written, and no key goes back. The oracle is a plain Map.
 */
import { expect, test } from 'bun:test'
import { Random } from '../support/random.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'
import { FakeChangelog } from '../support/store/fake-changelog.ts'
import { FollowingClient } from '../support/store/followers/client.ts'
import { type MapStore, openMapStore } from '../support/store/map-store.ts'
import { until } from '../support/until.ts'

const partitions = [0, 1, 2, 3]
const names = ['a', 'b', 'c']
const rounds = 300

/** An instance whose changes are those of a real store; what it holds, the plan says. */
class Copy {
  readonly instance: Instance<FakeEntries>
  readonly #maps: MapStore
  readonly #changelog: FakeChangelog
  readonly #read = new Map<number, number>()

  constructor(name: string, maps: MapStore, changelog: FakeChangelog) {
    const entries = new FakeEntries(name)
    const { changes, stats } = maps.store
    Object.defineProperties(entries, { changes: { value: changes }, stats: { value: stats } })
    this.instance = startInstanceOf(name, entries)
    this.#maps = maps
    this.#changelog = changelog
  }

  /** Reads some of what was written, and shows it. */
  async follow(max: number): Promise<void> {
    for (const partition of partitions) {
      this.#maps.replay(partition, max)
      const before = this.#read.get(partition) ?? 0
      const { records } = this.#changelog.log(partition)
      const read = records.slice(before, before + max)
      this.#read.set(partition, before + read.length)
      const last = read.at(-1)
      if (last !== undefined) this.#maps.threads[0]!.changes.positions.noteSource(partition, last.source + 1)
    }
    await this.#maps.publish()
  }

  async close(): Promise<void> {
    await this.instance[Symbol.asyncDispose]()
    await this.#maps.store.close()
  }
}

test('clients have everything, in order, while partitions move between copies', async () => {
  const random = Random.of('moving feeds')
  const changelog = new FakeChangelog()
  const copies = await Promise.all(
    names.map(async (name) => {
      return new Copy(name, await openMapStore(4, [{ replicas: partitions }], {}, changelog), changelog)
    }),
  )
  const instances = copies.map(({ instance }) => instance)
  const move = () => {
    plan(
      instances,
      partitions.map(() => names.toSorted(() => random.below(3) - 1).slice(0, 1 + random.below(2))),
    )
  }
  move()
  const clients = instances.map(() => new FollowingClient(random))
  let connections = 0
  const connect = (at: number) => {
    const { store } = instances[at]!.routing
    // What another feed has shown, this one does not know: copies that are behind may serve it.
    return clients[at]!.connect(store as unknown as MapStore['store'], {}, 'now', `connection ${connections++}`)
  }
  await Promise.all(instances.map((_, at) => connect(at)))
  const expected = new Map<string, string>()
  let written = 0
  for (let round = 0; round < rounds; round++) {
    for (let count = random.below(8); count > 0; count--) {
      const number = random.below(200)
      const value = random.below(5) === 0 ? null : `value ${written}`
      changelog.append(number % 4, `key ${number}`, value, written++)
      if (value === null) expected.delete(`key ${number}`)
      else expected.set(`key ${number}`, value)
    }
    await copies[random.below(3)]!.follow(1 + random.below(20))
    if (random.below(15) === 0) move()
    const at = random.below(3)
    if (random.below(60) === 0) await connect(at)
    await clients[at]!.take(random.below(4))
    await Bun.sleep(1)
  }
  await Promise.all(copies.map((copy) => copy.follow(Infinity)))
  const seed = `LATCHKEY_SEED=${random.seed}`
  for (const client of clients) {
    const hasAll = async () => {
      await client.take(100)
      return Bun.deepEquals(new Map([...client.held].toSorted()), new Map([...expected].toSorted()))
    }
    await until(`a client has everything, ${seed}`, hasAll, 20_000)
    expect([client.counts.reset, client.counts.put > 0], seed).toEqual([0, true])
    client.close()
  }
  await Promise.all(copies.map((copy) => copy.close()))
}, 60_000)
