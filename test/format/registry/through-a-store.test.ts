/** Records in a registry's wire format on their way through a store, while the registry is away and when it is back. */
import { expect, test } from 'bun:test'
import type { RegistryConfig } from '../../../lib/format/index.ts'
import { FakeRegistry } from '../../support/format/registry/fake-registry.ts'
import { wire } from '../../support/format/registry/settled.ts'
import vectors from '../../support/format/registry/vectors.json' with { type: 'json' }
import { Fixture } from '../../support/store/fixture.ts'
import { until } from '../../support/until.ts'

const [order] = vectors.vectors
const idOfText = vectors.schemas.find(({ subject }) => subject === 'text-value')!.id
const orderBytes = Buffer.from(order!.bytes, 'hex')

/** A key as Confluent's Avro serializer writes strings. */
function key(text: string): Buffer {
  return Buffer.from(wire(idOfText, text.length * 2, ...Buffer.from(text)))
}

function formats(registry: RegistryConfig) {
  const avro = { format: 'registry', kind: 'avro', registry } as const
  return {
    key: { ...avro, subject: 'text-value' },
    value: { ...avro, subject: 'avro-value' },
    store: { format: 'json' },
  } as const
}

test('records wait for the registry, and only records of unknown schemas are lost', async () => {
  await using registry = new FakeRegistry(vectors.schemas)
  await registry.stop()
  await using fixture = await Fixture.create()
  await fixture.produce([
    { key: key('first'), value: orderBytes },
    { key: key('unknown'), value: Buffer.from(wire(4_711)) },
    { key: key('bare'), value: Buffer.from('{"id":7}') },
    { key: key('last'), value: orderBytes },
  ])
  const store = fixture.openLogged({ formats: formats({ url: registry.url }) })
  await fixture.logged('it cannot be reached')
  expect(store.state).not.toBe('failed')
  await until('its status does, too', () => (store.status().reason ?? '').includes('it cannot be reached'))
  expect((await fixture.readChangelog()).records).toEqual([])
  registry.start()
  await fixture.quiet(store)
  await until('its status has no reason any more', () => store.status().reason === undefined)
  expect(JSON.parse((await fixture.value(store, key('first').toString('latin1')))!)).toEqual(order!.json)
  expect(JSON.parse((await fixture.value(store, key('last').toString('latin1')))!)).toEqual(order!.json)
  expect(await fixture.value(store, key('unknown').toString('latin1'))).toBeUndefined()
  await fixture.logged('schema 4711 is not found')
  expect((await fixture.readChangelog()).records).toHaveLength(2)
})
