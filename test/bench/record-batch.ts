/**
 * What record batches cost: `bun test/bench/record-batch.ts`. Batches of 1 MB with keys of 11 and values of 170 bytes, in one process, no broker.
 */
import { Decompressor } from '../../lib/kafka/record-batch/decompressor.ts'
import { type Compression, crc32c, RecordBatchBuilder, RecordBatchReader } from '../../lib/kafka/record-batch/index.ts'
import { compressors } from '../support/kafka/record-batch/compressed-batches.ts'

const batchBytes = 1_000_000
const roundMs = 200
const rounds = 8
const producer = { producerId: 4001, producerEpoch: 3, baseSequence: 17 }

/** Runs `work` for some time, several times over; the best rate of what it returns, in millions a second. */
function best(work: () => number): number {
  let rate = 0
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    let done = 0
    while (performance.now() - start < roundMs) done += work()
    rate = Math.max(rate, done / (performance.now() - start) / 1000)
  }
  return rate
}

function report(what: string, rate: number, unit: string): void {
  process.stdout.write(`${what.padEnd(44)} ${rate.toFixed(2).padStart(9)} ${unit}\n`)
}

const source = Buffer.alloc(2 << 20)
for (let at = 0; at < source.length; at++) source[at] = 97 + ((at * 7919) % 26)

const builder = new RecordBatchBuilder(batchBytes)

/** Fills the builder as ingest does: key and value apart, out of a batch that was fetched. */
function fill(sourceOffsets: boolean): number {
  builder.reset()
  let count = 0
  let at = 0
  while (builder.append(source, at, 11, at + 13, 170, 1_700_000_000_000 + (count >> 3), sourceOffsets ? count : -1)) {
    count++
    at += 190
  }
  return count
}

function fillAndSeal(): number {
  const count = fill(true)
  sum += builder.seal(producer).length
  return count
}

// Each batch lies in a response of several, as it does in use
function response(sourceOffsets: boolean): Buffer {
  fill(sourceOffsets)
  const batch = builder.seal(producer)
  return Buffer.concat([Buffer.alloc(77), batch, batch, batch, batch])
}

const reader = new RecordBatchReader()
let sum = 0

function read(bytes: Buffer, checkCrc: boolean, wantSource: boolean): number {
  let count = 0
  reader.open(bytes, 77, bytes.length)
  while (reader.nextBatch()) {
    reader.openRecords({ checkCrc })
    while (reader.nextRecord()) {
      sum += reader.keyStart + reader.valueLength + (wantSource ? reader.sourceOffset() : 0)
      count++
    }
  }
  return count
}

/** Bytes summed. */
function checksum(): number {
  sum += crc32c(plain, 100, 100 + batchBytes)
  return batchBytes
}

const plain = response(false)
const withSource = response(true)
report(
  'decode, CRC checked',
  best(() => read(plain, true, false)),
  'M records/s',
)
report(
  'decode, CRC checked, header src read',
  best(() => read(withSource, true, true)),
  'M records/s',
)
report(
  'decode, CRC not checked',
  best(() => read(plain, false, false)),
  'M records/s',
)
report(
  'append with header src',
  best(() => fill(true)),
  'M records/s',
)
report('append with header src, and seal', best(fillAndSeal), 'M records/s')
report('CRC32C', best(checksum) / 1000, 'GB/s')

const text = Buffer.from(
  Array.from({ length: 9000 }, (_, id) =>
    JSON.stringify({ id, user: `user ${(id * 7919) % 9973}`, amount: id / 7, city: id % 97 }),
  ).join(),
)
for (const { name, code, compress } of compressors) {
  const decompressor = new Decompressor()
  const compressed = compress(text)
  const rate = best(() => decompressor.decompress(code as Compression, compressed).length)
  report(`decompress ${name}, ratio ${(text.length / compressed.length).toFixed(1)}`, rate, 'MB/s out')
}
process.exitCode = sum > 0 ? 0 : 1
