/** The example modules in an embedding program: imported, and passed to openStore. */
import { expect, test } from 'bun:test'
import { type Definition, openStore } from '../../lib/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { cases } from './cases.ts'

test.each(cases)('a program opens a store with $module', async ({ module, records, stored }) => {
  const { default: definition } = (await import(`./${module}.ts`)) as { default: Definition }
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce(records.map(([key, value]) => ({ key, value: value === null ? null : Buffer.from(value) })))
  const options = {
    sourceTopic: fixture.source,
    kafkaBrokers: fixture.cluster.broker.bootstrap,
    logLevel: 'error',
  } as const
  await using store = openStore(options, definition)
  await store.ready
  await store.flush()
  for (const [key, value] of Object.entries(stored)) expect((await store.get(key)) ?? null).toEqual(value)
})
