/** An unclean leader election loses what the changelog had acknowledged, while records keep coming. */
import { afterEach, expect, test } from 'bun:test'
import { healCluster, healTimeoutMs, sharedCluster } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { converged, onceConverged, refusalsOf, snapshotFolder } from '../support/store/snapshots.ts'
import { until } from '../support/until.ts'

afterEach(healCluster, healTimeoutMs)

const testTimeoutMs = 180_000

function orders(from: number, count: number, value: string) {
  return Array.from({ length: count }, (_, i) => ({ key: `order-${from + i}`, value: `${value} ${from + i}` }))
}

test.each([
  { lost: 1, coming: 0 },
  { lost: 2, coming: 1 },
  { lost: 1_000, coming: 4_000 },
])(
  'store, changelog and source are equal after an unclean election has lost $lost records of the changelog, and $coming came meanwhile',
  async ({ lost, coming }) => {
    const cluster = await sharedCluster()
    await using fixture = await Fixture.create({ broker: cluster, changelog: { 'min.insync.replicas': '1' } })
    await cluster.reassign(fixture.source, 0, [3])
    await cluster.reassign(fixture.changelog, 0, [1, 2])
    const store = fixture.openLogged()
    await fixture.produce([...orders(0, 2_000, 'first'), { key: 'order-7', value: null }])
    await fixture.quiet(store)
    const replica = fixture.openLogged({ useReplicaOnly: true })
    await fixture.quiet(replica)

    let feeding: Promise<void> | undefined
    const tail = await cluster.loseTail(fixture.changelog, 0, async () => {
      // Changed, new and deleted keys are lost.
      await fixture.produce([{ key: 'order-1', value: null }, ...orders(1_990, lost, 'second')].slice(-lost))
      await fixture.quiet(store)
      await fixture.quiet(replica)
      feeding = feed(fixture, coming)
    })
    // Besides the records there is a marker if the store has taken the partition again meanwhile.
    expect(tail.end - tail.start).toBeGreaterThanOrEqual(lost)
    await feeding
    // Where nothing more comes, the loss is still noticed, and the note of the repair does not stay.
    if (coming > 0) await fixture.produce(orders(0, 1, 'last'))
    await fixture.logged('partition 0: repaired')
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await fixture.logged('records that were acknowledged are missing')
    const wrote = fixture.lines.map((line) => /wrote (\d+) records? and (\d+) tombstones?/.exec(line)).find(Boolean)!
    // What comes before the leader is killed may be acknowledged by it, too, and lost.
    expect(Number(wrote[1]) + Number(wrote[2])).toBeLessThanOrEqual(lost + coming + 1)
    await store.close()
    await fixture.quiet(replica)
    await fixture.expectConverged(replica)
    await fixture.logged('reading it again')

    fixture.lines.length = 0
    const again = fixture.openLogged()
    await fixture.quiet(again)
    expect(fixture.hasLogged('rebuilding')).toBeFalse()
    await fixture.expectConverged(again)
  },
  testTimeoutMs,
)

test(
  'a store rebuilds, once and loudly, when an unclean election lost one record of the changelog while it was down',
  async () => {
    const cluster = await sharedCluster()
    await using fixture = await Fixture.create({ broker: cluster, changelog: { 'min.insync.replicas': '1' } })
    await cluster.reassign(fixture.source, 0, [3])
    await cluster.reassign(fixture.changelog, 0, [1, 2])
    using folder = snapshotFolder()
    const keeping = { snapshotDir: folder.path, snapshotSeconds: 3_600 }
    await fixture.produce(orders(0, 100, 'first'))
    await onceConverged(fixture, keeping)
    const store = fixture.openLogged(keeping)
    await fixture.quiet(store)
    await cluster.loseTail(fixture.changelog, 0, async () => {
      await fixture.produce(orders(7, 1, 'second'))
      await fixture.quiet(store)
      await until('it has committed', async () => (await fixture.committed()).get(0) === 101)
      await store.close()
    })
    for (const isRebuilt of [true, false]) {
      fixture.lines.length = 0
      const again = fixture.openLogged()
      await fixture.quiet(again)
      expect(fixture.hasLogged('because the changelog was truncated or recreated')).toBe(isRebuilt)
      await fixture.expectConverged(again)
      await again.close()
    }
    // Its last snapshot has the record that was lost. The one before has not.
    const last = await converged(fixture, keeping)
    expect(refusalsOf(last)).toEqual(['used'])
    await fixture.logged('acknowledged records, and others took their offsets: leader epoch')
    await fixture.logged('The one before it is used')
  },
  testTimeoutMs,
)

async function feed(fixture: Fixture, count: number): Promise<void> {
  const portion = 200
  for (let done = 0; done < count; done += portion) {
    await fixture.produce(orders(done % 3_000, Math.min(portion, count - done), `round ${done}`))
  }
}
