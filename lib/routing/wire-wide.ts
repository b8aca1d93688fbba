/** Bytes of the operations of wide-operations.ts, and of their results. Nothing that is received is trusted. */
import type { KeyedLookup } from '../store-protocol/reads.ts'
import type { KeyResult } from './key-result.ts'
import type {
  ChunkOperation,
  ChunkResult,
  ManyOperation,
  ManyResult,
  WideOperation,
  WideResult,
} from './wide-operations.ts'
import { type HopReader, type HopWriter, wireFault } from './wire-bytes.ts'

/** Keys of one operation, as many as a client may ask for at once. */
const wideKeysMax = 10_000
const partitionsMax = 65_536
const markLengthMax = 64
const limitMax = 65_536

const isSearch = 1
const hasMark = 1
const hasPrefix = 2
const withValues = 4
const hasNext = 1

/** How a result of one key is written and read. */
export interface KeyResultCodec {
  write(writer: HopWriter, result: KeyResult): void
  read(reader: HopReader): KeyResult
}

export function writeWideOperation(writer: HopWriter, operation: WideOperation): void {
  switch (operation.type) {
    case 'many':
      writer.u8(operation.searched === undefined ? 0 : isSearch)
      if (operation.searched !== undefined) writePartitions(writer, operation.searched)
      writer.f64(operation.bytesMax)
      writer.u32(operation.keys.length)
      for (const key of operation.keys) writer.bytes(key)
      break
    case 'chunk':
      writeChunkOperation(writer, operation)
      break
    case 'count':
    case 'visible':
      writePartitions(writer, operation.partitions)
      break
    case 'flush':
      break
  }
}

/** @throws LatchkeyError malformed_request */
export function readWideOperation(type: WideOperation['type'], reader: HopReader): WideOperation {
  switch (type) {
    case 'many':
      return readManyOperation(reader)
    case 'chunk':
      return readChunkOperation(reader)
    case 'count':
    case 'visible':
      return { type, partitions: readPartitions(reader) }
    case 'flush':
      return { type }
  }
}

export function writeWideResult(writer: HopWriter, result: WideResult, keyResults: KeyResultCodec): void {
  switch (result.type) {
    case 'many':
      writer.f64(result.epoch)
      writer.u32(result.results.length)
      for (const one of result.results) keyResults.write(writer, one)
      break
    case 'chunk':
      writeChunkResult(writer, result)
      break
    case 'count':
      writer.f64(result.epoch)
      writeNumbers(writer, result.counts)
      break
    case 'visible':
      writer.f64(result.epoch)
      writeNumbers(writer, result.positions)
      writeNumbers(writer, result.written)
      break
    case 'flush':
      writer.f64(result.operations)
      break
  }
}

/** @throws LatchkeyError malformed_request */
export function readWideResult(type: WideResult['type'], reader: HopReader, keyResults: KeyResultCodec): WideResult {
  switch (type) {
    case 'many':
      return readManyResult(reader, keyResults)
    case 'chunk':
      return readChunkResult(reader)
    case 'count':
      return { type, epoch: reader.integer(), counts: readNumbers(reader) }
    case 'visible':
      return { type, epoch: reader.integer(), positions: readNumbers(reader), written: readNumbers(reader) }
    case 'flush':
      return { type, operations: reader.integer() }
  }
}

function readManyOperation(reader: HopReader): ManyOperation {
  const searched = reader.u8() === 0 ? {} : { searched: readPartitions(reader) }
  const bytesMax = reader.f64()
  if (!(bytesMax >= 0)) throw wireFault('a bound that is not a number')
  const count = reader.count(4)
  if (count > wideKeysMax) throw wireFault(`more than ${wideKeysMax} keys`)
  const keys = Array.from({ length: count }, () => reader.bytes())
  return { type: 'many', keys, bytesMax, ...searched }
}

function writeChunkOperation(writer: HopWriter, { position, bounds }: ChunkOperation): void {
  const { partition, hash, mark } = position
  const { limit, prefix } = bounds
  writer.u8(
    (mark === undefined ? 0 : hasMark) + (prefix === undefined ? 0 : hasPrefix) + (bounds.withValues ? withValues : 0),
  )
  writer.u32(partition)
  writer.u32(hash)
  if (mark !== undefined) writer.text(mark)
  writer.u32(Math.min(limit, limitMax))
  if (prefix !== undefined) writer.bytes(prefix)
}

function readChunkOperation(reader: HopReader): ChunkOperation {
  const flags = reader.u8()
  const [partition, hash] = [reader.u32(), reader.u32()]
  const mark = (flags & hasMark) === 0 ? {} : { mark: reader.text(markLengthMax) }
  const limit = reader.u32()
  if (limit < 1 || limit > limitMax) throw wireFault('a limit that is not allowed')
  const prefix = (flags & hasPrefix) === 0 ? {} : { prefix: reader.bytes().slice() }
  const bounds = { limit, withValues: (flags & withValues) !== 0, ...prefix }
  return { type: 'chunk', position: { partition, hash, ...mark }, bounds }
}

function readManyResult(reader: HopReader, keyResults: KeyResultCodec): ManyResult {
  const epoch = reader.integer()
  const results = Array.from({ length: reader.count(1) }, () => keyResults.read(reader))
  return { type: 'many', epoch, results }
}

function writeChunkResult(writer: HopWriter, { mark, chunk }: ChunkResult): void {
  const { epoch, entries, examined, next } = chunk
  writer.text(mark)
  writer.f64(epoch)
  writer.u32(examined)
  writer.u8(next === undefined ? 0 : hasNext)
  if (next !== undefined) {
    writer.u32(next.partition)
    writer.u32(next.hash)
  }
  writer.u32(entries.length)
  for (const entry of entries) {
    writer.bytes(entry.key)
    writer.lookup(entry)
  }
}

function readChunkResult(reader: HopReader): ChunkResult {
  const mark = reader.text(markLengthMax)
  const [epoch, examined] = [reader.integer(), reader.u32()]
  const next = reader.u8() === 0 ? undefined : { partition: reader.u32(), hash: reader.u32() }
  const entries = Array.from({ length: reader.count(4) }, (): KeyedLookup => {
    const key = reader.bytes().slice()
    return { ...reader.lookup(), key }
  })
  return { type: 'chunk', mark, chunk: { epoch, entries, examined, next } }
}

function writePartitions(writer: HopWriter, partitions: readonly number[]): void {
  writer.u32(partitions.length)
  for (const partition of partitions) writer.u32(partition)
}

function readPartitions(reader: HopReader): number[] {
  const count = reader.count(4)
  if (count > partitionsMax) throw wireFault(`more than ${partitionsMax} partitions`)
  return Array.from({ length: count }, () => reader.u32())
}

function writeNumbers(writer: HopWriter, numbers: readonly number[]): void {
  writer.u32(numbers.length)
  for (const number of numbers) writer.f64(number)
}

function readNumbers(reader: HopReader): number[] {
  return Array.from({ length: reader.count(8) }, () => reader.integer())
}
