import { type ProducerState, RecordBatchBuilder, RecordBatchReader } from '../../../../lib/kafka/record-batch/index.ts'

export interface SampleRecord {
  key: Buffer | null
  value: Buffer | null
  timestamp: number
  sourceOffset: number
}

export interface ReadRecord extends SampleRecord {
  offset: number
}

export const noProducer: ProducerState = { producerId: -1, producerEpoch: -1, baseSequence: -1 }

export function sample(
  key: string | null,
  value: string | null,
  timestamp = 1_700_000_000_000,
  sourceOffset = -1,
): SampleRecord {
  return {
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp,
    sourceOffset,
  }
}

/** Appends key and value out of one buffer, as the store does; returns what `append` returned. */
export function append(builder: RecordBatchBuilder, record: SampleRecord): boolean {
  const key = record.key ?? Buffer.alloc(0)
  const value = record.value ?? Buffer.alloc(0)
  const source = Buffer.concat([Buffer.from('before'), key, Buffer.from('between'), value, Buffer.from('after')])
  const keyLength = record.key === null ? -1 : key.length
  const valueLength = record.value === null ? -1 : value.length
  return builder.append(source, 6, keyLength, 6 + key.length + 7, valueLength, record.timestamp, record.sourceOffset)
}

/** An own copy of a batch with these records. */
export function encode(records: readonly SampleRecord[], producer: ProducerState = noProducer): Buffer {
  const builder = new RecordBatchBuilder(1 << 20)
  for (const record of records) if (!append(builder, record)) throw new Error('sample does not fit')
  return Buffer.from(builder.seal(producer))
}

export function currentRecord(reader: RecordBatchReader): ReadRecord {
  const { data, keyStart, keyLength, valueStart, valueLength } = reader
  return {
    offset: reader.offset,
    timestamp: reader.timestamp,
    sourceOffset: reader.sourceOffset(),
    key: keyLength < 0 ? null : Buffer.from(data.subarray(keyStart, keyStart + keyLength)),
    value: valueLength < 0 ? null : Buffer.from(data.subarray(valueStart, valueStart + valueLength)),
  }
}

/** Every record of every batch, copied; undecodable ones are an error. */
export function readAll(bytes: Buffer, start = 0, end = bytes.length): ReadRecord[] {
  const reader = new RecordBatchReader()
  const records: ReadRecord[] = []
  reader.open(bytes, start, end)
  while (reader.nextBatch()) {
    reader.openRecords({ checkCrc: true })
    while (reader.nextRecord()) {
      if (reader.undecodable) throw new Error(`offset ${reader.offset} is undecodable: ${reader.fault}`)
      records.push(currentRecord(reader))
    }
  }
  return records
}
