/** Late writes of any owner: recovery finds the value with the highest source offset for each key. */
import { expect, test } from 'bun:test'
import type { ChiralMap } from '../../../lib/map/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { recover } from '../../../lib/store-thread/recovery/recovery.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { Random } from '../../support/random.ts'
import { OwnersModel } from '../../support/store-thread/ownership-model.ts'

type Owner = Parameters<OwnersModel['append']>[0]

const rounds = 400
const stepsMax = 25

interface Found {
  values: Map<string, string>
  outdated: string[]
}

/** Recovers what a model has written. */
async function recovered(model: OwnersModel, isFull = false): Promise<Found> {
  const fake = new FakeClient()
  fake.offsets.set(0, { earliest: 0, latest: model.end })
  const values = new Map<string, string>()
  const map = {
    put(_: number, data: Buffer, keyStart: number, keyLength: number, valueStart: number, valueLength: number) {
      const key = data.toString('latin1', keyStart, keyStart + keyLength)
      if (valueLength < 0) values.delete(key)
      else values.set(key, data.toString('latin1', valueStart, valueStart + valueLength))
    },
  } as unknown as ChiralMap
  void fake.serve(({ request, answer }) => {
    const { offset } = fetchPositions(request)[0]!
    const ends = { highWatermark: model.end, lastStableOffset: model.end }
    answer(fetchResponse('log', [{ partition: 0, records: model.bytesFrom(offset), ...ends }]))
  })
  // One key fills it.
  const keyBytesMax = isFull ? 100 : undefined
  const context = {
    ...(keyBytesMax && { keyBytesMax }),
    client: fake.client,
    changelogTopic: 'log',
    map,
    stats: new Stats([0]),
  }
  const found = await recover({ ...context, identityOf: () => undefined, fenceAgain: async () => {} }, [0])
  fake.close()
  return { values, outdated: found.get(0)!.outdated.map(String).toSorted() }
}

function newestOf(model: OwnersModel): Map<string, string> {
  return new Map([...model.newest].flatMap(([key, { value }]) => (value === null ? [] : [[key, value]])))
}

function sorted(values: Map<string, string>): [string, string][] {
  return [...values].toSorted(([one], [other]) => (one < other ? -1 : 1))
}

for (const hasMarkers of [true, false]) {
  const by = hasMarkers ? 'markers identify owners' : 'there are no markers'
  test(`recovery finds the newest record of each key, and what to write again, when ${by}`, async () => {
    const random = Random.of(`late batches, ${by}`)
    for (let round = 0; round < rounds; round++) {
      const model = new OwnersModel(random, hasMarkers)
      for (let steps = 1 + random.below(stepsMax); steps > 0; steps--) model.step()
      expect(sorted((await recovered(model)).values)).toEqual(sorted(newestOf(model)))
      model.take()
      const first = await recovered(model)
      expect(sorted(first.values)).toEqual(sorted(newestOf(model)))
      expect(await recovered(model, true)).toEqual(first)
      const fold = model.fold()
      const wrong = [...model.newest].filter(([key, { value }]) => fold.get(key)!.value !== value).map(([key]) => key)
      expect(first.outdated).toEqual(expect.arrayContaining(wrong))

      // After the repair, the changelog alone is right, compacted, too.
      model.writeAgain(first.outdated)
      model.compact(1)
      const values = new Map([...model.fold()].flatMap(([key, { value }]) => (value === null ? [] : [[key, value]])))
      expect(sorted(values)).toEqual(sorted(newestOf(model)))
      const second = await recovered(model)
      expect(sorted(second.values)).toEqual(sorted(newestOf(model)))
    }
  })
}

test('recovery finds what a rebuild has written of keys that were deleted before it, though late batches dispute them', async () => {
  const model = new OwnersModel(Random.of('rebuilt'), true)
  const [former, owner] = [0, 1].map((epoch) => ({ producerId: 1, epoch })) as [Owner, Owner]
  model.append(former, { key: 'a', value: 'former', src: 5 }, { key: 'b', value: 'former', src: 6 })
  model.append(owner)
  model.append(former, { key: 'a', value: 'late', src: 2 })
  model.append(owner, { key: 'a', value: 'former', src: 5 }, { key: 'a', value: null, src: 9 })
  // The source was recreated: what is there is discarded, then the source is read from its start.
  model.append(owner, { key: 'b', value: null, src: -2 })
  model.append(owner, { key: 'a', value: 'new', src: 0 }, { key: 'b', value: 'new', src: 1 })
  expect(sorted((await recovered(model)).values)).toEqual([
    ['a', 'new'],
    ['b', 'new'],
  ])
})
