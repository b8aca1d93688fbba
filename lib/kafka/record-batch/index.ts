/** Record batches of Kafka: what other folders use to read and build them. */
export { crc32c } from './crc32c.ts'
export {
  abortMarker,
  compressionNames,
  maxDecompressedBytes,
  recordsAt as batchHeaderBytes,
  reservedHeaders,
  type Compression,
} from './layout.ts'
export { HeaderBlock, type HeaderBytes, HeaderCursor } from './header-block.ts'
export {
  batchBytesOfOne,
  hardMaxBytes,
  recordOverheadBytesMax,
  type BuilderOptions,
  RecordBatchBuilder,
  storedTimestamp,
  type ProducerState,
} from './record-batch-builder.ts'
export { RecordBatchReader } from './record-batch-reader.ts'
export { isOversized, type OversizedRecord, splitBatch } from './split-batch.ts'
