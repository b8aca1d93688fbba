/** Bytes of changes and of places in them. Nothing that is received is trusted. */
import { type ChangeId, isTopicId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, ChangeEvent } from '../../store-protocol/following.ts'
import { partitionStates } from '../../store-protocol/status.ts'
import { type HopReader, type HopWriter, wireFault } from '../wire-bytes.ts'

export const partitionsMax = 65_536
const topicIdLengthMax = 64
/** Of a batch: some hundreds, and states of partitions. */
const eventsMax = partitionsMax + 4_096
/** Ten digits in base 36, as in the text of a place. */
const naturalsEnd = 36 ** 10
/** Numbers of what is sent; never given to another thing. */
const eventCodes = { reset: 1, put: 2, delete: 3, status: 4 } as const

export function writeBatch(writer: HopWriter, { events, place }: ChangeBatch): void {
  writer.u8(place === undefined ? 0 : place === 'start' ? 1 : 2)
  if (typeof place === 'object') writePlace(writer, place)
  writer.u32(events.length)
  for (const event of events) {
    writer.u8(eventCodes[event.type])
    switch (event.type) {
      case 'put':
        writer.bytes(event.entry.key)
        writer.lookup(event.entry)
        break
      case 'delete':
        writer.bytes(event.key)
        writer.u32(event.partition)
        writer.f64(event.offset)
        break
      case 'status':
        writer.u32(event.partition)
        writer.u8(partitionStates.indexOf(event.state))
        break
      case 'reset':
        break
    }
  }
}

export function readBatch(reader: HopReader): ChangeBatch {
  const code = reader.u8()
  const place = code === 0 ? undefined : code === 1 ? 'start' : readPlace(reader)
  return { place, events: Array.from({ length: countUpTo(eventsMax, reader, 1) }, () => readEvent(reader)) }
}

function readEvent(reader: HopReader): ChangeEvent {
  switch (reader.u8()) {
    case eventCodes.reset:
      return { type: 'reset' }
    case eventCodes.put: {
      const key = reader.bytes().slice()
      return { type: 'put', entry: { ...reader.lookup(), key } }
    }
    case eventCodes.delete:
      return { type: 'delete', key: reader.bytes().slice(), partition: reader.u32(), offset: reader.integer() }
    case eventCodes.status: {
      const partition = reader.u32()
      const state = partitionStates[reader.u8()]
      if (state === undefined) throw wireFault('a state that is not known')
      return { type: 'status', partition, state }
    }
    default:
      throw wireFault('a change that is not known')
  }
}

export function writePlace(writer: HopWriter, { topicId, time, positions }: ChangeId): void {
  writer.text(topicId)
  writer.f64(time)
  writePositions(writer, positions)
}

export function readPlace(reader: HopReader): ChangeId {
  const topicId = reader.text(topicIdLengthMax)
  if (!isTopicId(topicId)) throw wireFault('an id of a topic that cannot be one')
  return { topicId, time: readNatural(reader), positions: readPositions(reader) }
}

export function writePositions(writer: HopWriter, positions: ReadonlyMap<number, number>): void {
  writer.u32(positions.size)
  for (const [partition, position] of positions) {
    writer.u32(partition)
    writer.f64(position)
  }
}

export function readPositions(reader: HopReader): Map<number, number> {
  const positions = new Map<number, number>()
  for (let left = countUpTo(partitionsMax, reader, 12); left > 0; left--) {
    positions.set(reader.u32(), readNatural(reader))
  }
  return positions
}

export function writeNumbers(writer: HopWriter, numbers: readonly number[]): void {
  writer.u32(numbers.length)
  for (const number of numbers) writer.u32(number)
}

export function readNumbers(reader: HopReader, max: number): number[] {
  return Array.from({ length: countUpTo(max, reader) }, () => reader.u32())
}

/** A time or an offset, as far as the text of a place has room for it. */
function readNatural(reader: HopReader): number {
  const value = reader.integer()
  if (value < 0 || value >= naturalsEnd) throw wireFault('a number that no place has')
  return value
}

export function countUpTo(max: number, reader: HopReader, bytesMin = 4): number {
  const count = reader.count(bytesMin)
  if (count > max) throw wireFault(`more than ${max} items`)
  return count
}
