/** A partition that is rebuilt, while others of the store have long been: nothing states that it is complete. */
import { expect, test } from 'bun:test'
import { fetchCommitted } from '../../lib/kafka/offsets.ts'
import { rebuildingMetadata } from '../../lib/topics/completeness.ts'
import { FakeRegistry } from '../support/format/registry/fake-registry.ts'
import { wire } from '../support/format/registry/settled.ts'
import vectors from '../support/format/registry/vectors.json' with { type: 'json' }
import { Fixture } from '../support/store/fixture.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const [order] = vectors.vectors
const orderBytes = Buffer.from(order!.bytes, 'hex')
const idOfText = vectors.schemas.find(({ subject }) => subject === 'text-value')!.id
const text = Buffer.from(wire(idOfText, 2, 'x'.charCodeAt(0)))

function committedOf({ cluster, storeId, source }: Fixture) {
  return withClient(cluster.broker.direct, (client) =>
    client.retryForever(() => fetchCommitted(client, storeId, source, [0, 1])),
  )
}

test('no commit says that a partition is complete while it is rebuilt, and the next start rebuilds it again', async () => {
  await using registry = new FakeRegistry(vectors.schemas)
  await using fixture = await Fixture.create({ partitions: 2 })
  const value = { format: 'registry', kind: 'avro', registry: { url: registry.url } } as const
  const formats = { key: { format: 'raw' }, value, store: value } as const
  await fixture.produce([
    { key: 'a', value: orderBytes },
    { key: 'b', value: text },
    { key: 'c', value: orderBytes, partition: 1 },
  ])
  const first = fixture.open({ formats })
  await fixture.quiet(first)
  await first.close()

  // Partition 0 waits at its second record, for a schema that does not come.
  registry.fault = (path) => (path.includes(`/ids/${idOfText}`) ? new Promise<Response>(() => {}) : undefined)
  const rebuilding = fixture.openLogged({ formats, rebuild: true })
  for (const offset of [1, 2]) {
    await until('partition 1 is rebuilt and committed', async () => {
      const committed = (await committedOf(fixture)).get(1)
      return committed?.offset === offset && committed.metadata !== rebuildingMetadata
    })
    await fixture.produce([{ key: 'd', value: orderBytes, partition: 1 }])
  }
  await rebuilding.close()
  expect((await committedOf(fixture)).get(0)).toEqual({ offset: 2, metadata: rebuildingMetadata })

  registry.fault = undefined
  const next = fixture.openLogged({ formats })
  await fixture.quiet(next)
  await fixture.logged('partition 0: rebuilding from offset 0, because a rebuild that began earlier')
  expect(next.status().details.map(({ entries }) => entries)).toEqual([2, 2])
})
