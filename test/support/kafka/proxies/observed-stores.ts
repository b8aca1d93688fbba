/** Stores whose requests are looked at on their way to the broker, and what the broker then holds. */
import { afterAll, beforeAll, beforeEach, expect } from 'bun:test'
import { readClientProperties } from '../../../../lib/config/client-properties/read.ts'
import { RecordBatchReader } from '../../../../lib/kafka/record-batch/index.ts'
import type { ClientName, ClientsConfig } from '../../../../lib/store-protocol/client-config.ts'
import type { Store } from '../../../../lib/store/store.ts'
import { Fixture, type FixtureOptions } from '../../store/fixture.ts'
import { type KafkaBroker, startKafka } from '../index.ts'
import { RawConnection } from '../record-batch/raw-connection.ts'
import { Wire } from './wire.ts'

/** `wire` is what was sent since the test began. */
export const observed = {} as { broker: KafkaBroker; wire: Wire }

/** Starts a separate broker for the test file that calls this. */
export function observeBroker(): void {
  beforeAll(async () => {
    observed.broker = await startKafka({ proxy: true })
  })
  afterAll(() => observed.broker.close())
  beforeEach(async () => {
    const { broker } = observed
    // Bun kills the children of its process when a test times out.
    if (broker.logDir !== undefined && broker.pid === undefined) await broker.start()
    broker.proxy!.onResponse = undefined
    observed.wire = new Wire(broker.proxy!)
  })
}

const variables: Record<ClientName, string> = {
  consumer: 'KAFKA_CONSUMER_PROPERTIES',
  producer: 'KAFKA_PRODUCER_PROPERTIES',
  changelog: 'KAFKA_CHANGELOG_PROPERTIES',
}

export function clients(texts: Partial<Record<ClientName, string>>): ClientsConfig {
  const given = Object.entries(texts) as [ClientName, string][]
  const read = readClientProperties(
    given.map(([client, text]) => ({ variable: variables[client], clients: [client], text, byLine: false })),
  )
  expect(read.faults).toEqual([])
  return read.clients
}

export const fixtureOf = (options: FixtureOptions = {}) => Fixture.create({ broker: observed.broker, ...options })

/** Three records, one value that compresses. */
export const messages = ['a', 'b', 'c'].map((key) => ({ key, value: `${key}-`.repeat(400) }))

/** Every batch of records that the changelog's partition 0 holds. */
export async function batchesOf(
  fixture: Fixture,
): Promise<{ compression: number; records: number; bytes: number; producerId: number }[]> {
  const connection = await RawConnection.open(observed.broker.direct)
  const batches = new RecordBatchReader()
  const found = []
  try {
    const { ends } = await fixture.readChangelog()
    for (let position = 0; position < ends.get(0)!; position = batches.nextOffset) {
      const records = await connection.fetch(fixture.changelog, 0, position)
      batches.open(records, 0, records.length)
      while (batches.nextBatch()) {
        const { compression, recordCount, batchBytes, producerId, isControl } = batches
        if (!isControl) found.push({ compression, records: recordCount, bytes: batchBytes, producerId })
      }
    }
  } finally {
    connection.close()
  }
  return found
}

export async function valueOf(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(Buffer.from(key))
  return found && Buffer.from(found.value).toString()
}
