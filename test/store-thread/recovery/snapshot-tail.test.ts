/** A recovery that begins with a snapshot ends as one that reads the whole changelog, with late batches, too. */
import { expect, test } from 'bun:test'
import type { ChiralMap } from '../../../lib/map/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { recover, type Recovered } from '../../../lib/store-thread/recovery/recovery.ts'
import type { RestoredSnapshot } from '../../../lib/store-thread/recovery/restored-snapshot.ts'
import type { RefusedSnapshot } from '../../../lib/store-thread/recovery/snapshot-check.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { Random } from '../../support/random.ts'
import { OwnersModel } from '../../support/store-thread/ownership-model.ts'
import { someFacts } from '../../support/store-thread/snapshot-facts.ts'

const rounds = 400
const stepsMax = 20

interface Found {
  values: Map<string, string>
  recovered: Recovered
  /** Offset of the first Fetch. */
  begunAt: number
  refused: RefusedSnapshot[]
}

interface Snapshot {
  values: ReadonlyMap<string, string>
  restored: RestoredSnapshot
}

async function recoveredFrom(model: OwnersModel, snapshot?: Snapshot, starts?: number[]): Promise<Found> {
  const fake = new FakeClient()
  fake.offsets.set(0, { earliest: 0, latest: model.end })
  const values = new Map(snapshot?.values)
  const map = {
    put(_: number, data: Buffer, keyStart: number, keyLength: number, valueStart: number, valueLength: number) {
      const key = data.toString('latin1', keyStart, keyStart + keyLength)
      if (valueLength < 0) values.delete(key)
      else values.set(key, data.toString('latin1', valueStart, valueStart + valueLength))
    },
    clear: () => values.clear(),
  } as unknown as ChiralMap
  const fetches: number[] = []
  void fake.serve(({ request, answer }) => {
    const { offset } = fetchPositions(request)[0]!
    fetches.push(offset)
    const start = starts?.shift() ?? 0
    if (offset < start) {
      fake.offsets.set(0, { earliest: start, latest: model.end })
      return answer(fetchResponse('log', [{ partition: 0, errorCode: 1 }]))
    }
    const ends = { highWatermark: model.end, lastStableOffset: model.end }
    answer(fetchResponse('log', [{ partition: 0, records: model.bytesFrom(offset), ...ends }]))
  })
  const refused: RefusedSnapshot[] = []
  const context = {
    client: fake.client,
    changelogTopic: 'log',
    map,
    stats: new Stats([0]),
    ...(snapshot && { restored: new Map([[0, snapshot.restored]]) }),
    snapshotVoid: (_: number, found: RefusedSnapshot) => void refused.push(found),
    identityOf: () => undefined,
    fenceAgain: async () => {},
  }
  const found = await recover(context, [0])
  fake.close()
  return { values, recovered: found.get(0)!, begunAt: fetches[0] ?? model.end, refused }
}

/** What a store would have written that had recovered everything up to now. */
function snapshotOf(model: OwnersModel, { values, recovered }: Found): Snapshot {
  const { records, last, after, discardedAt, owners } = recovered
  const trail = { last: last && { ...last, key: last.key.toString('base64') }, after, discardedAt }
  const stated = JSON.parse(JSON.stringify({ position: model.end, records, trail, owners }))
  return { values, restored: { facts: someFacts(stated), entries: values.size, bytes: 0, ageMs: 0 } }
}

function keysOf(outdated: readonly Buffer[]): string[] {
  return outdated.map(String).toSorted()
}

function trailOf({ last, after, discardedAt, records }: Recovered) {
  return { last: last?.offset, after, discardedAt, records }
}

function reachOf({ last, after }: Recovered): number {
  return Math.max(last?.offset ?? -1, after)
}

for (const hasMarkers of [true, false]) {
  const by = hasMarkers ? 'markers identify owners' : 'there are no markers'
  test(`a recovery from a snapshot has the values and the trail of the whole changelog when ${by}`, async () => {
    const random = Random.of(`snapshot, ${by}`)
    let tails = 0
    for (let round = 0; round < rounds; round++) {
      const model = new OwnersModel(random, hasMarkers)
      for (let steps = random.below(stepsMax); steps > 0; steps--) model.step()
      model.take()
      const before = await recoveredFrom(model)
      // A store writes these again before it takes a snapshot.
      if (before.recovered.outdated.length > 0) continue
      const snapshot = snapshotOf(model, before)
      const position = model.end
      for (let steps = random.below(stepsMax); steps > 0; steps--) model.step()
      const whole = await recoveredFrom(model)
      const found = await recoveredFrom(model, snapshot)
      expect(found.begunAt).toBe(position)
      expect([...found.values].toSorted()).toEqual([...whole.values].toSorted())
      expect(keysOf(found.recovered.outdated)).toEqual(keysOf(whole.recovered.outdated))
      expect(found.recovered.changelogEnd).toBe(whole.recovered.changelogEnd)
      // Compaction may have removed what the snapshot knows.
      const isCompacted = model.log.some((batch) => batch.records.includes(undefined))
      if (isCompacted) expect(reachOf(found.recovered)).toBeGreaterThanOrEqual(reachOf(whole.recovered))
      else expect(trailOf(found.recovered)).toEqual(trailOf(whole.recovered))
      expect(found.recovered.restored === undefined).toBe(found.refused.length > 0)
      if (found.refused.length === 0) tails++
    }
    // Else the test says nothing.
    expect(tails).toBeGreaterThan(rounds / 10)
  })
}

test('a snapshot is void when records after it are deleted while the changelog is read', async () => {
  const model = new OwnersModel(Random.of('deleted'), true)
  const owner = { producerId: 9, epoch: 0 }
  model.append(owner)
  for (let src = 0; src < 5; src++) model.append(owner, { key: 'a', value: `v${src}`, src })
  const snapshot = snapshotOf(model, await recoveredFrom(model))
  model.append(owner, { key: 'a', value: null, src: 5 })
  model.append(owner, { key: 'b', value: 'last', src: 6 })
  const found = await recoveredFrom(model, snapshot, [model.end - 1, model.end - 1])
  expect([...found.values]).toEqual([['b', 'last']])
  expect(found.refused).toMatchObject([{ reason: 'records-deleted' }])
  expect(found.recovered).toMatchObject({ changelogStart: model.end - 1, restored: undefined })
})
