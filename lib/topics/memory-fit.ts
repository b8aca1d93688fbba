/** Whether what the partitions held at their last commits fits into MEMORY_MAX, and how that is said. */
import { LatchkeyError } from '../errors.ts'
import type { CommittedOffset } from '../kafka/offsets.ts'
import {
  mapBudgetOf,
  mapBytesFor,
  memoryMaxFor,
  recoveryBudgetOf,
  type StatedSize,
} from '../store-protocol/memory-budget.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { mebibytes, sizeSetting } from '../text/byte-size.ts'
import { heldIn } from './completeness.ts'

/** What a store needs, as far as its commits state it. */
export interface Expected extends StatedSize {
  /** Bytes of the entries and their tables. */
  readonly mapBytes: number
}

export function expectedOf(committed: ReadonlyMap<number, CommittedOffset>): Expected {
  const all = [...committed.values()].map(({ metadata }) => heldIn(metadata))
  return {
    entries: all.reduce((sum, { entries }) => sum + entries, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    mapBytes: all.reduce((sum, held) => sum + mapBytesFor(held), 0),
  }
}

/** Whether a recovery of so many bytes can succeed. */
export function fits(config: StoreConfig, mapBytes: number): boolean {
  return mapBytes <= recoveryBudgetOf(config)
}

/**
 * Returns the error that ends a start.
 * @param attempted beginning of its message
 * @param expected all that the store needs, or as much as is known when its memory is full
 */
export function doesNotFit(config: StoreConfig, attempted: string, expected: Expected): LatchkeyError {
  const { entries, bytes, mapBytes } = expected
  const needs = `${entries} entries of ${mebibytes(bytes)} need ${mebibytes(mapBytes)} with their index`
  return new LatchkeyError('memory_full', `${attempted}: ${needs}, and ${leaves(config)}. ${advice(config, mapBytes)}`)
}

/** Returns for example `MEMORY_MAX=512M leaves 256 MiB for them`. */
export function leaves(config: StoreConfig): string {
  return `MEMORY_MAX=${sizeSetting(config.memoryMax!)} leaves ${mebibytes(mapBudgetOf(config)!)} for them`
}

/** @param mapBytes bytes that the store needs, as far as that is known */
export function advice(config: StoreConfig, mapBytes: number): string {
  const most = memoryMaxFor(mapBytes, config)
  const to = most > config.memoryMax! ? `to at least ${sizeSetting(most)}` : `above ${sizeSetting(config.memoryMax!)}`
  return `Raise MEMORY_MAX, or the limit of the control group that it follows, ${to}, or hold fewer partitions here`
}

/** Returns the lines of --check. */
export function describeMemory(config: StoreConfig, { entries, bytes, mapBytes }: Expected): string[] {
  if (entries === 0) return []
  const budget = mapBudgetOf(config)
  const bound = budget === undefined ? 'without a bound' : leaves(config)
  const line = `memory: ${entries} entries of ${mebibytes(bytes)}, ${mebibytes(mapBytes)} with their index; ${bound}`
  if (budget === undefined || mapBytes <= budget) return [line]
  return [line, `warning: Memory would be full: lookups answer, and nothing more is read. ${advice(config, mapBytes)}`]
}
