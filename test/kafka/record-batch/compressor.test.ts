import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Compressor } from '../../../lib/kafka/record-batch/compressor.ts'
import { Decompressor } from '../../../lib/kafka/record-batch/decompressor.ts'
import { RecordBatchBuilder, RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'

const codecs = [
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
] as const
const headerBytes = 61
const decompressor = new Decompressor()

/** The result; undefined where it was not made smaller. */
function roundTrip(compressor: Compressor, records: Buffer): Buffer | undefined {
  const batch = Buffer.concat([Buffer.alloc(headerBytes, 7), records])
  const compressed = compressor.compress(batch, headerBytes, batch.length)
  if (compressed === undefined) return undefined
  expect(compressed.subarray(0, headerBytes)).toEqual(batch.subarray(0, headerBytes))
  expect(compressed.length).toBeLessThan(batch.length)
  return decompressor.decompress(compressor.compression, Buffer.from(compressed.subarray(headerBytes)))
}

/** Bytes that repeat themselves in pieces, near and far. */
const repetitive = fc
  .array(fc.record({ piece: fc.uint8Array({ maxLength: 80 }), times: fc.integer({ min: 1, max: 3000 }) }), {
    maxLength: 12,
  })
  .map((pieces) => Buffer.concat(pieces.flatMap(({ piece, times }) => Array.from({ length: times }, () => piece))))

test.each(codecs)('%s restores any input', (_name, compression) => {
  const compressor = new Compressor({ compression, level: null })
  fc.assert(
    fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 300 }).map(Buffer.from)), (records) => {
      const back = roundTrip(compressor, records)
      return back === undefined || back.equals(records)
    }),
    { numRuns: 200 },
  )
})

test.each(codecs)('%s restores input at the edges of blocks', (_name, compression) => {
  const compressor = new Compressor({ compression, level: null })
  for (const bytes of [65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 200_000]) {
    for (const period of [1, 5, 997, 70_000]) {
      const records = Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => ((at % period) * 2_654_435_761) >>> 24))
      const back = roundTrip(compressor, records)
      if (back !== undefined) expect(back.equals(records), `${bytes} bytes, period ${period}`).toBe(true)
      else expect(period).toBe(70_000)
    }
  }
})

test.each(codecs)('%s does not compress a batch that would not become smaller', (_name, compression) => {
  const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))
  expect(roundTrip(new Compressor({ compression, level: null }), noise)).toBeUndefined()
})

function builderWith(compression: 0 | 1 | 2 | 3 | 4, recordsMax = Number.POSITIVE_INFINITY): RecordBatchBuilder {
  return new RecordBatchBuilder(1 << 20, { compression, level: null, recordsMax })
}

function fill(builder: RecordBatchBuilder, values: readonly string[]): void {
  for (const [index, value] of values.entries()) {
    const source = Buffer.from(`${index}${value}`)
    const keyBytes = String(index).length
    builder.append(source, 0, keyBytes, keyBytes, source.length - keyBytes, 1000 + index, index)
  }
}

function valuesIn(batch: Buffer): string[] {
  const reader = new RecordBatchReader()
  reader.open(batch, 0, batch.length)
  const values: string[] = []
  while (reader.nextBatch()) {
    reader.openRecords({ checkCrc: true })
    while (reader.nextRecord()) {
      values.push(reader.data.toString('utf8', reader.valueStart, reader.valueStart + reader.valueLength))
    }
  }
  return values
}

const values = Array.from({ length: 50 }, (_, index) => `value ${index % 7} `.repeat(20))
const producer = { producerId: 7, producerEpoch: 1, baseSequence: 0 }

test.each(codecs)('a batch sealed with %s holds its records, and so does the plain one', (_name, compression) => {
  const builder = builderWith(compression)
  fill(builder, values)
  const plainBytes = builder.bytes
  const sealed = builder.seal(producer)
  expect(sealed.length).toBeLessThan(plainBytes)
  expect(valuesIn(sealed)).toEqual(values)
  const plain = new RecordBatchReader()
  plain.open(builder.plain(), 0, builder.plain().length)
  expect(plain.nextBatch()).toBe(true)
  expect([plain.compression, plain.recordCount]).toEqual([0, values.length])
})

test('a batch sealed again has the other producer and the same records', () => {
  const builder = builderWith(3)
  fill(builder, values)
  const first = Buffer.from(builder.seal(producer))
  const second = builder.seal({ producerId: 9, producerEpoch: 2, baseSequence: 5 })
  const reader = new RecordBatchReader()
  reader.open(second, 0, second.length)
  reader.nextBatch()
  expect([reader.producerId, reader.producerEpoch, reader.baseSequence]).toEqual([9, 2, 5])
  expect(valuesIn(second)).toEqual(valuesIn(first))
  builder.reset()
  fill(builder, ['other'])
  expect(valuesIn(builder.seal(producer))).toEqual(['other'])
})

test('a batch that grows after it was sealed is compressed again', () => {
  const builder = builderWith(4)
  fill(builder, values)
  builder.seal(producer)
  builder.append(Buffer.from('kv'), 0, 1, 1, 1, 1000, 1)
  expect(valuesIn(builder.seal(producer))).toEqual([...values, 'v'])
})

test('a batch that compression does not help is sealed as it is', () => {
  const builder = builderWith(2)
  const source = Buffer.from(crypto.getRandomValues(new Uint8Array(1000)))
  builder.append(source, 0, 10, 10, 990, 1, 1)
  const reader = new RecordBatchReader()
  const sealed = builder.seal(producer)
  reader.open(sealed, 0, sealed.length)
  reader.nextBatch()
  reader.openRecords({ checkCrc: true })
  expect(reader.compression).toBe(0)
})

test('a batch takes as many records as it may', () => {
  const builder = builderWith(0, 2)
  fill(builder, ['a', 'b', 'c'])
  expect(builder.count).toBe(2)
  builder.reset()
  fill(builder, ['d'])
  expect(valuesIn(builder.seal(producer))).toEqual(['d'])
})
