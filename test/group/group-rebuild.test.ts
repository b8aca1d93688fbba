/** Who may have a group rebuilt: an instance that finds no member. The coordinator decides. */
import { afterEach, expect, test } from 'bun:test'
import { noteGroupRebuild, requireNoMembers } from '../../lib/group/group-rebuild.ts'
import { commitOffsets, fetchCommitted } from '../../lib/kafka/offsets.ts'
import { rebuildingMetadata } from '../../lib/topics/completeness.ts'
import { TestMember } from '../support/group/test-member.ts'
import { realClient } from '../support/kafka/real-client.ts'
import { Fixture } from '../support/store/fixture.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const stated = 'latchkey/1 changelog-start=0 changelog-end=9'

/** A store of two partitions, of which one has been committed, and a client of its coordinator. */
async function setup() {
  const fixture = await Fixture.create({ partitions: 2 })
  const client = await realClient()
  closing.push(async () => client.close())
  const { storeId, source, cluster } = fixture
  await cluster.commit(storeId, source, 0, 7, stated)
  const config = fixture.config({ rebuild: true, elastic: {} })
  const note = () => noteGroupRebuild(client, config, 2)
  const commits = () => fetchCommitted(client, storeId, source, [0, 1])
  const member = async (): Promise<TestMember> => {
    const one = new TestMember(await realClient(), storeId, 'a')
    await one.has('a latchkey-1')
    closing.push(() => one.leave())
    return one
  }
  return { fixture, client, note, commits, member }
}

test('all partitions of a group without members are noted, and their offsets stay', async () => {
  const { note, commits } = await setup()
  const noted = new Map([
    [0, { offset: 7, metadata: rebuildingMetadata }],
    [1, { offset: 0, metadata: rebuildingMetadata }],
  ])
  await note()
  expect(await commits()).toEqual(noted)
  // A start that ended before it has joined does it again.
  await note()
  expect(await commits()).toEqual(noted)
})

test('beside a member nothing is noted, and it commits on', async () => {
  const { fixture, client, note, commits, member } = await setup()
  const one = await member()
  const begun = `Rebuilding store ${fixture.storeId}: instances run already, as 1 member of group ${fixture.storeId} at `
  await expect(note()).rejects.toMatchObject({
    code: 'invalid_settings',
    message: expect.stringMatching(new RegExp(`^${begun}[^ ]+\\. End all of them, start one with --rebuild`)),
  })
  expect(await commits()).toEqual(new Map([[0, { offset: 7, metadata: stated }]]))
  const { memberId, generation } = one.last!
  const next = new Map([[0, { offset: 8, metadata: stated }]])
  await commitOffsets(client, fixture.storeId, fixture.source, next, undefined, { memberId, generation })
  expect(await commits()).toEqual(next)
  await one.membership.leave()
  await note()
  expect((await commits()).get(0)).toEqual({ offset: 8, metadata: rebuildingMetadata })
})

test('a check finds members, too', () => {
  const member = { memberId: 'a', clientId: 'a', metadata: Buffer.alloc(0), assignment: Buffer.alloc(0) }
  const members = [1, 2].map((host) => ({ ...member, clientHost: `/10.0.0.${host}` }))
  const check = (found: typeof members) => () => requireNoMembers({ storeId: 'orders' } as never, { members: found })
  expect(check([])).not.toThrow()
  expect(check(members)).toThrow('as 2 members of group orders at 10.0.0.1, 10.0.0.2. End all of them')
})
