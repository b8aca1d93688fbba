import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { faultsOf as faultsOfInput, required, settingsOf } from '../support/config/read.ts'

let here: string
let beside: string

beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), 'latchkey-modules-'))
  here = join(root, 'here')
  beside = join(root, 'beside')
  for (const folder of [here, beside]) mkdirSync(folder)
  writeFileSync(join(here, 'here.ts'), '')
  for (const folder of [here, beside]) writeFileSync(join(folder, 'both.js'), '')
  writeFileSync(join(beside, 'beside.ts'), '')
  symlinkSync(join(beside, 'beside.ts'), join(here, 'link.ts'))
})

afterAll(() => rmSync(join(here, '..'), { recursive: true }))

function inputOf(environment: Record<string, string>, argv: string[] = []) {
  return { argv, environment: { ...required, ...environment }, envDirectories: [here, beside] }
}

function faultsOf(...given: Parameters<typeof inputOf>): string[] {
  return faultsOfInput(inputOf(...given))
}

test('a store module is searched in the working directory, then beside the executable', () => {
  const urlOf = (STORE_MODULE: string) => settingsOf(inputOf({ STORE_MODULE })).module
  expect(urlOf('./here.ts')).toBe(pathToFileURL(join(here, 'here.ts')).href)
  expect(urlOf('both.js')).toBe(pathToFileURL(join(here, 'both.js')).href)
  expect(urlOf('link.ts')).toBe(pathToFileURL(join(beside, 'beside.ts')).href)
  expect(urlOf('./beside.ts')).toBe(pathToFileURL(join(beside, 'beside.ts')).href)
  expect(urlOf(join(beside, 'both.js'))).toBe(pathToFileURL(join(beside, 'both.js')).href)
  expect(settingsOf(inputOf({}))).not.toContainKey('module')
})

test('a missing or invalid store module is a fault', () => {
  expect(faultsOf({ STORE_MODULE: 'nowhere.ts' })).toEqual([
    `STORE_MODULE="nowhere.ts" (environment): there is no such file in ${here} or ${beside}`,
  ])
  expect(faultsOf({ STORE_MODULE: 'here.json' })).toEqual([
    'STORE_MODULE="here.json" (environment): it must be a .ts or .js file',
  ])
})

test('a store module beside formats is a fault', () => {
  expect(
    faultsOf({ STORE_MODULE: 'here.ts', KEY_FORMAT: 'utf8' }, ['--store-format', 'json', '--value-format', 'utf8']),
  ).toEqual([
    'STORE_MODULE="here.ts" (environment): the module says what keys and values are; leave out KEY_FORMAT, --value-format, --store-format',
  ])
})
