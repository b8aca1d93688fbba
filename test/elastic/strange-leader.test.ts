/** A program without the token that may read the group: it joins, becomes the leader, and assigns nothing that counts. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { leaveGroup } from '../../lib/kafka/group-requests.ts'
import { createGroupClient, groupOf } from '../../lib/topics/clients.ts'
import { TestGroup, type TestInstance } from '../support/elastic/group-fixture.ts'
import { TestMember } from '../support/group/test-member.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const partitions = 4
const withinMs = 40_000
const token = 'a token that the instances have'

let fixture: Fixture
beforeAll(async () => (fixture = await Fixture.create({ partitions })))
afterAll(() => fixture[Symbol.asyncDispose]())

function isServed(instances: readonly TestInstance[]): boolean {
  for (const { failures } of instances) if (failures.length > 0) throw new Error(failures.join('; '))
  const primaries = instances.flatMap(({ held }) => held.primaries)
  return (
    primaries.length === partitions &&
    instances.every(({ held, failing }) => {
      return held.primaries.length + held.replicas.length === partitions && failing.length === 0
    })
  )
}

async function hasValue({ store }: TestInstance): Promise<boolean> {
  const found = await store.get(Buffer.from('key'))
  return found !== undefined && Buffer.from(found.value).toString() === 'value'
}

const troubleOf = ({ group }: TestInstance) => group.trouble ?? ''

test(
  'a stranger that leads takes neither copies nor routes nor readiness away, and is removed',
  async () => {
    await using group = new TestGroup(fixture)
    await fixture.produce([{ key: 'key', value: 'value' }])
    const instances = [1, 2].map((number) => group.start({ number, token }))
    await until('two instances have everything', () => isServed(instances), withinMs)
    await until(
      'both have read the key',
      async () => (await Promise.all(instances.map(hasValue))).every(Boolean),
      withinMs,
    )
    const held = instances.map((one) => one.held)

    const config = fixture.config()
    const stranger = new TestMember(createGroupClient(config), groupOf(config), 'nothing')
    await using leaving = new AsyncDisposableStack()
    leaving.defer(() => stranger.leave())
    const leads = async () => {
      const last = stranger.last
      if (last?.isLeader === false) await leaveGroup(stranger.client, groupOf(config), last.leaderId).catch(() => {})
      return last?.isLeader === true
    }
    await until('the stranger leads', leads, withinMs)
    await until('both name it', () => instances.every((one) => troubleOf(one).includes('the last one stays')), withinMs)
    expect(instances.map(({ failing }) => failing)).toEqual([[], []])
    for (const one of instances) {
      // The last plan that an instance has made, which may be one between two removals.
      expect([one.group.members.length > 0, one.group.unassigned]).toEqual([true, []])
      expect(await hasValue(one)).toBe(true)
      // Nothing here is known to be current.
      const { conditions } = one.store.status()
      expect(conditions.find(({ name }) => name === 'in_group')?.reason).toContain('the last one stays')
    }
    expect(instances.map((one) => one.held.primaries.length + one.held.replicas.length)).toEqual(
      held.map(({ primaries, replicas }) => primaries.length + replicas.length),
    )
    await until(
      'an instance leads again',
      () => instances.some((one) => one.group.isLeader && troubleOf(one) === ''),
      withinMs,
    )
    await until(
      'all is as before',
      () => isServed(instances) && instances.every((one) => troubleOf(one) === ''),
      withinMs,
    )
    await until('it names the stranger', () => instances.some((one) => one.group.excluded.length === 1), withinMs)
  },
  4 * withinMs,
)

test(
  'after another SERVER_TOKEN, instances without it are named until they have it',
  async () => {
    await using group = new TestGroup(fixture)
    const instances = [1, 2].map((number) => group.start({ number, token }))
    await until('two instances have everything', () => isServed(instances), withinMs)
    await until(
      'both have read the key',
      async () => (await Promise.all(instances.map(hasValue))).every(Boolean),
      withinMs,
    )
    instances[0]!.replaceToken('another one')
    const texts = (one: TestInstance) => JSON.stringify([one.group.trouble, one.group.excluded])
    await until('one of them says so', () => instances.some((one) => texts(one).includes('SERVER_TOKEN')), withinMs)
    for (const one of instances) expect(await hasValue(one)).toBe(true)
    instances[1]!.replaceToken('another one')
    await until(
      'both are in one group',
      () => {
        return isServed(instances) && instances.every((one) => !texts(one).includes('SERVER_TOKEN'))
      },
      withinMs,
    )
  },
  4 * withinMs,
)
