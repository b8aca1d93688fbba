/** Client properties as KAFKA_PROPERTIES has them, read. */
import { expect } from 'bun:test'
import { readClientProperties } from '../../../lib/config/client-properties/read.ts'
import type { ClientName } from '../../../lib/store-protocol/client-config.ts'

export const all: readonly ClientName[] = ['consumer', 'producer', 'changelog']

export function read(text: string, clients = all) {
  return readClientProperties([{ variable: 'KAFKA_PROPERTIES', clients, text, byLine: false }])
}

/** The faults that are reported for properties. */
export function faultsOf(text: string, clients = all): string[] {
  return read(text, clients).faults
}

export function consumer(text: string) {
  const { clients, faults } = read(text)
  expect(faults).toEqual([])
  return clients.consumer
}
