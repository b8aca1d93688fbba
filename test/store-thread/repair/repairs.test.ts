/** When a changelog is repaired, from where on, and what is noted before; over a broker that is the test. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { partitionStateOf, setPartitionState } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import type { FromThread } from '../../../lib/store-protocol/thread-messages.ts'
import type { Ingest } from '../../../lib/store-thread/ingest/ingest.ts'
import type { PartitionOwnership } from '../../../lib/store-thread/ingest/partition-ownership.ts'
import { Repairs } from '../../../lib/store-thread/repair/repairs.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { oversizedBatch, oversizedRecords } from '../../support/kafka/record-batch/oversized-batches.ts'
import { until } from '../../support/until.ts'

/** A partition that was written up to an offset. */
function setup(written = 10, config: Partial<StoreConfig> = {}) {
  const fake = new FakeClient({ 0: 1 })
  const client = Object.assign(fake, { metadata: async () => [] }).client
  const events: string[] = []
  const held = { written, amending: Promise.withResolvers<boolean>(), fenced: false }
  const ends = (latest: number) => fake.offsets.set(0, { earliest: 0, latest })
  ends(written)
  const ingest = {
    changelogEnd: () => held.written,
    acknowledged: () => 7,
    repairs: {
      withhold: () => (events.push('withheld'), true),
      taken: (_: number, __: unknown, end: { offset: number }) => void events.push(`taken, ends at ${end.offset}`),
      takenByOther: () => void events.push('taken by another'),
      isHalted: () => false,
      amend: () => (events.push('amended'), held.amending.promise),
      release: () => void events.push('released'),
      rewind: (_: number, position: number) => void events.push(`source from ${position}`),
      reached: async () => true,
    },
  } as unknown as Ingest
  const ownership = {
    renew: async (_: number, from: number) => {
      events.push(`renewed from ${from}`)
      if (held.fenced) throw new LatchkeyError('fenced', 'Another instance has it')
    },
  } as unknown as PartitionOwnership
  const stats = new Stats([0])
  setPartitionState(stats, 0, 'running')
  const posted: FromThread[] = []
  const context = {
    config: { changelogTopic: 'changelog', sourceTopic: 'source', ...config },
    clients: { producer: client, changelog: client, consumer: client } as Clients,
    roles: { primaries: [0], replicas: [], notices: [] },
    stats,
    post: (message: FromThread) => void posted.push(message),
    failed: (error: unknown) => {
      throw error
    },
  } as unknown as StoreContext
  const repairs = new Repairs(context, ownership, ingest, {
    noteRebuild: async () => void events.push('noted'),
    confirmed: () => undefined,
    repaired: (_, start) => void events.push(`repaired, starts at ${start}`),
  })
  const seen = () => events.splice(0)
  return { fake, repairs, held, ends, events, seen, posted, state: () => partitionStateOf(stats, 0) }
}

test('a complete changelog is not repaired', async () => {
  const { repairs, seen } = setup()
  expect(await repairs.beginsInstead(0)).toBe(false)
  expect([seen(), repairs.isRepairing(0)]).toEqual([[], false])
})

test('a rebuild is noted before a lost tail is repaired, and the partition is complete only after the repair', async () => {
  const { repairs, held, ends, events, seen, posted, state } = setup()
  ends(6)
  expect(await repairs.beginsInstead(0)).toBe(true)
  await until('it is amended', () => events.includes('amended'))
  expect(seen()).toEqual(['withheld', 'noted', 'renewed from 6', 'taken, ends at 6', 'amended'])
  expect([repairs.isRepairing(0), state()]).toEqual([true, 'repairing'])
  held.amending.resolve(true)
  await until('it is released', () => events.includes('released'))
  expect(seen()).toEqual(['repaired, starts at 0', 'released'])
  expect([repairs.isRepairing(0), state()]).toEqual([false, 'running'])
  expect(posted.map(({ type }) => type)).toEqual(['repairing', 'repaired'])
})

test('a repair begins where the former one did when records are lost while that is under way', async () => {
  const { repairs, held, ends, events, seen } = setup()
  ends(6)
  await repairs.beginsInstead(0)
  await until('it is amended', () => events.includes('amended'))
  seen()
  const former = held.amending
  held.amending = Promise.withResolvers()
  held.written = 20
  ends(15)
  expect(await repairs.beginsInstead(0)).toBe(true)
  former.resolve(false)
  await until('it is amended again', () => events.includes('amended'))
  expect(seen()).toEqual(['withheld', 'noted', 'renewed from 6', 'taken, ends at 15', 'amended'])
  expect(repairs.isRepairing(0)).toBe(true)
})

test('records that landed below the written end are repaired even if the changelog has grown again since', async () => {
  const { repairs, events, seen, state } = setup()
  repairs.landedBelow(0, 4)
  expect([repairs.isRepairing(0), state()]).toEqual([true, 'repairing'])
  expect(await repairs.beginsInstead(0)).toBe(true)
  await until('it is amended', () => events.includes('amended'))
  expect(seen()).toContain('renewed from 4')
})

test('a partition that another instance has fenced is left to it, with the note', async () => {
  const { repairs, held, ends, events, seen, posted } = setup()
  held.fenced = true
  ends(6)
  await repairs.beginsInstead(0)
  await until('it is lost', () => events.includes('taken by another'))
  expect(seen()).toEqual(['withheld', 'noted', 'renewed from 6', 'taken by another'])
  expect(repairs.isRepairing(0)).toBe(false)
  expect(posted.at(-1)).toMatchObject({ type: 'repaired' })
})

test('a repair reads what a batch has that is too large to decompress at once', async () => {
  const { fake, repairs, ends, events } = setup(oversizedRecords + 1, { useProcessingOnly: true })
  ends(oversizedRecords)
  expect(await repairs.beginsInstead(0)).toBe(true)
  const { answer } = await fake.next()
  answer(fetchResponse('changelog', [{ partition: 0, records: oversizedBatch(0) }]))
  await until('it is released', () => events.includes('released'))
  expect(events).toContain(`source from ${oversizedRecords}`)
})
