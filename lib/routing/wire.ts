/**
 * What instances send each other, as bytes: a list of operations, and a result for each of them. hop.ts puts them into
 * envelopes.
 */
import { type ErrorCode, errorTable, LatchkeyError } from '../errors.ts'
import type { KeyResult, MissedKey } from './key-result.ts'
import type { PeerOperation, Result } from './operations.ts'
import { shown } from './peer-fault.ts'
import { flagsOfLag, type HopReader, type HopWriter, lagFlags, wireFault } from './wire-bytes.ts'
import {
  type KeyResultCodec,
  readWideOperation,
  readWideResult,
  writeWideOperation,
  writeWideResult,
} from './wire-wide.ts'

/** Operations of one request: lookups, or one other. */
export const operationsMax = 1_000

const messageLengthMax = 4_000
const detailsLengthMax = 65_536
/** Of a peer's message, in an answer or a log of this instance. */
const errorLengthMax = 500

/** Numbers of what is sent; never given to another thing. */
const operationCodes = { get: 1, many: 2, chunk: 3, count: 4, flush: 5, visible: 6 } as const
const resultCodes = {
  found: 1,
  missed: 2,
  failed: 3,
  many: 4,
  chunk: 5,
  count: 6,
  flush: 7,
  visible: 8,
  reached: 20,
} as const

/** Beside the flags of a lag. */
const hasCaughtUp = 1
const isHalted = 8

export function writeOperations(writer: HopWriter, operations: readonly PeerOperation[]): void {
  writer.u32(operations.length)
  for (const operation of operations) writeOperation(writer, operation)
}

/** @throws LatchkeyError malformed_request */
export function readOperations(reader: HopReader): PeerOperation[] {
  const count = reader.count(1)
  if (count > operationsMax) throw wireFault(`more than ${operationsMax} operations`)
  const operations = Array.from({ length: count }, () => readOperation(reader))
  // Each of the others may take as long, and as much memory, as a server gives to one request.
  if (count > 1 && operations.some(({ type }) => type !== 'get')) throw wireFault('several operations, not all lookups')
  return operations
}

export function writeResult(writer: HopWriter, result: Result): void {
  writer.u8(resultCodes[result.type])
  switch (result.type) {
    case 'found':
      writer.lookup(result.lookup)
      break
    case 'missed': {
      const { caughtUp, partition, lag } = result
      writer.u8((caughtUp ? hasCaughtUp : 0) + (result.isHalted ? isHalted : 0) + flagsOfLag(lag))
      writer.u32(partition)
      writer.lag(lag)
      break
    }
    case 'failed':
      writeError(writer, result.error)
      break
    case 'reached':
      writer.u8(result.isReached === null ? 2 : result.isReached ? 1 : 0)
      writer.text(result.said.slice(0, messageLengthMax / 4))
      break
    default:
      writeWideResult(writer, result, keyResults)
  }
}

/** @throws LatchkeyError malformed_request */
export function readResult(reader: HopReader): Result {
  const code = reader.u8()
  switch (code) {
    case resultCodes.reached:
      return { type: 'reached', isReached: readReached(reader), said: shown(reader.text(messageLengthMax)) }
    case resultCodes.many:
      return readWideResult('many', reader, keyResults)
    case resultCodes.chunk:
      return readWideResult('chunk', reader, keyResults)
    case resultCodes.count:
      return readWideResult('count', reader, keyResults)
    case resultCodes.flush:
      return readWideResult('flush', reader, keyResults)
    case resultCodes.visible:
      return readWideResult('visible', reader, keyResults)
    default:
      return readKeyResult(code, reader)
  }
}

function readKeyResult(code: number, reader: HopReader): KeyResult {
  switch (code) {
    case resultCodes.found:
      return { type: 'found', lookup: reader.lookup() }
    case resultCodes.missed:
      return readMissed(reader)
    case resultCodes.failed:
      return { type: 'failed', error: readError(reader) }
    default:
      throw wireFault('a result that is not known')
  }
}

const keyResults: KeyResultCodec = { write: writeResult, read: (reader) => readKeyResult(reader.u8(), reader) }

function writeOperation(writer: HopWriter, operation: PeerOperation): void {
  writer.u8(operationCodes[operation.type])
  if (operation.type !== 'get') return writeWideOperation(writer, operation)
  writer.bytes(operation.key)
  writer.f64(operation.maxLag ?? -1)
}

function readOperation(reader: HopReader): PeerOperation {
  switch (reader.u8()) {
    case operationCodes.get:
      return readGet(reader)
    case operationCodes.many:
      return readWideOperation('many', reader)
    case operationCodes.chunk:
      return readWideOperation('chunk', reader)
    case operationCodes.count:
      return readWideOperation('count', reader)
    case operationCodes.flush:
      return readWideOperation('flush', reader)
    case operationCodes.visible:
      return readWideOperation('visible', reader)
    default:
      throw wireFault('an operation that is not known')
  }
}

function readGet(reader: HopReader): PeerOperation {
  const key = reader.bytes()
  const maxLag = reader.integer()
  return { type: 'get', key, maxLag: maxLag < 0 ? undefined : maxLag }
}

function readMissed(reader: HopReader): MissedKey {
  const flags = reader.u8()
  if (flags > hasCaughtUp + lagFlags + isHalted) throw wireFault('flags that are not known')
  const missed: MissedKey = {
    type: 'missed',
    caughtUp: (flags & hasCaughtUp) !== 0,
    isHalted: (flags & isHalted) !== 0,
    partition: reader.u32(),
  }
  const lag = reader.lag(flags)
  return lag === undefined ? missed : { ...missed, lag }
}

function readReached(reader: HopReader): boolean | null {
  const flag = reader.u8()
  if (flag > 2) throw wireFault('flags that are not known')
  return flag === 2 ? null : flag === 1
}

export function writeError(writer: HopWriter, { code, message, details }: LatchkeyError): void {
  const json = JSON.stringify(details)
  writer.text(code)
  writer.text(message.slice(0, messageLengthMax / 4))
  writer.text(json.length > detailsLengthMax / 4 ? '{}' : json)
}

/** @throws LatchkeyError malformed_request */
export function readError(reader: HopReader): LatchkeyError {
  const code = reader.text(64)
  const message = shown(reader.text(messageLengthMax), errorLengthMax)
  const details = detailsOf(reader.text(detailsLengthMax))
  // A later version may have codes that this one does not know.
  return new LatchkeyError(isErrorCode(code) ? code : 'internal', message, { details })
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}

function detailsOf(json: string): Record<string, unknown> {
  try {
    const details: unknown = JSON.parse(json, (_, value: unknown) => (typeof value === 'string' ? shown(value) : value))
    if (typeof details === 'object' && details !== null) return { ...details }
  } catch {
    // As below.
  }
  throw wireFault('details that are not JSON')
}
