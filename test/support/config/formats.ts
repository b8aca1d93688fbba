/** Settings of formats, with the files that they name. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultsOf as faultsOfInput, required, settingsOf } from './read.ts'

export const registry = 'https://registry.example:8081'
export const root = mkdtempSync(join(tmpdir(), 'latchkey-formats-'))
/** The working directory, and that of the executable. */
export const here = join(root, 'here')
export const beside = join(root, 'beside')

/** For beforeAll: what the settings name. */
export function writeFiles(): void {
  for (const folder of [here, beside, join(beside, 'protos')]) mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(beside, 'orders.proto'),
    'syntax = "proto3"; package shop; message Order { int64 id = 1; } message Key {}',
  )
  writeFileSync(join(here, 'lines.proto'), 'syntax = "proto3"; import "money.proto"; message Line { Money price = 1; }')
  writeFileSync(join(beside, 'protos/money.proto'), 'syntax = "proto3"; message Money { int64 units = 1; }')
  writeFileSync(join(here, 'broken.proto'), 'message {')
  writeFileSync(join(here, 'order.avsc'), '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}')
  writeFileSync(join(here, 'broken.avsc'), '{"type":"recorder"}')
}

/** For afterAll. */
export function removeFiles(): void {
  rmSync(root, { recursive: true })
}

export function inputOf(environment: Record<string, string>) {
  return { environment: { ...required, ...environment }, envDirectories: [here, beside] }
}

export function formatsOf(environment: Record<string, string>) {
  return settingsOf(inputOf(environment)).formats
}

/** Without the folders, which differ from run to run. */
export function faultsOf(environment: Record<string, string>): string[] {
  const faults = faultsOfInput(inputOf(environment))
  return faults.map((fault) => fault.replaceAll(here, 'HERE').replaceAll(beside, 'BESIDE'))
}
