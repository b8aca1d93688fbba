/** A real registry: Apicurio, by the interface that it has in common with Confluent's. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Json } from '../../../lib/format/index.ts'
import { registryCodec } from '../../../lib/format/registry.ts'
import { Schemas } from '../../../lib/format/registry/schemas.ts'
import { hasJava } from '../../support/format/java/java.ts'
import { Apicurio } from '../../support/format/registry/apicurio.ts'
import { isPending, settled, wire } from '../../support/format/registry/settled.ts'
import vectors from '../../support/format/registry/vectors.json' with { type: 'json' }
import { until } from '../../support/until.ts'

const startTimeoutMs = 600_000

// Where Docker runs Kafka, there may be no Java.
if (hasJava) {
  describe('Apicurio Registry', () => {
    let apicurio: Apicurio
    let schemas: Schemas
    /** By the id that the vectors have. */
    const ids = new Map<number, number>()

    beforeAll(async () => {
      apicurio = await Apicurio.start()
      for (const schema of vectors.schemas) ids.set(schema.id, await apicurio.register(schema))
      schemas = new Schemas(apicurio, { retryMsOperator: 50 })
    }, startTimeoutMs)
    afterAll(() => apicurio?.close())

    const codecOf = (kind: string, subject: string) =>
      registryCodec({ format: 'registry', kind: kind as 'avro', registry: apicurio, subject }, schemas)

    test.each(vectors.vectors)('$name: is read and written', async ({ kind, subject, bytes, json }) => {
      const codec = codecOf(kind, subject)
      const record = Uint8Array.fromHex(bytes)
      const view = new DataView(record.buffer)
      view.setUint32(1, ids.get(view.getUint32(1))!)
      const value = await settled(() => codec.decode(record))
      expect(codec.toJson(value)).toEqual(json as Json)
      if (kind === 'protobuf' && record[5] !== 0) return
      const encoded = await settled(() => codec.encode(codec.fromJson(json as Json)))
      expect(codec.decode(encoded)).toEqual(value)
      if (kind !== 'json') expect(encoded).toEqual(record)
    })

    test('says that it has no such schema', async () => {
      const found = await settled(() => codecOf('avro', 'a').decode(wire(4_711))).catch((error: Error) => error.message)
      expect(found).toBe('schema 4711 is not found')
    })

    test('reports that it has no such subject, until it is registered', async () => {
      const codec = codecOf('avro', 'late-value')
      expect(isPending(() => codec.encode(7))).toBe(true)
      await until('the trouble is reported', () =>
        schemas.troubles().some(({ problem }) => problem.endsWith('is not found')),
      )
      const id = await apicurio.register({
        subject: 'late-value',
        schemaType: 'AVRO',
        schema: '"long"',
        references: [],
      })
      expect(await settled(() => codec.encode(7))).toEqual(wire(id, 14))
    })
  })
}
