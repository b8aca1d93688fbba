/** Names: a type name stands for one type, and a document names files that exist. */
import { expect, test } from 'bun:test'
import { basename } from 'node:path'
import { read, repositoryFiles } from './repository.ts'

const files = repositoryFiles()
const documents = files.filter((path) => path.endsWith('.md'))

test('a type name in lib stands for one type', () => {
  const sources = files.filter((path) => /^lib\/.*\.tsx?$/.test(path))
  expect(sharedTypeNames(sources.map(read))).toEqual([])
})

test('the source files that documents name exist', () => {
  expect(documents.flatMap((path) => missingFiles(read(path)).map((name) => `${path}: ${name}`))).toEqual([])
})

test('the checks find a type name that stands twice, and a file that does not exist', () => {
  const texts = ['export interface Shared {}\ntype Own = 1', '  class Shared {}\n', 'import type { Own } from "a"']
  expect(sharedTypeNames(texts)).toEqual(['Shared'])
  expect(missingFiles('See names.test.ts, `style/nowhere.ts` and main.ts.')).toEqual(['style/nowhere.ts'])
})

function sharedTypeNames(texts: readonly string[]): string[] {
  const declaration =
    /^ *(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|enum) (\w+)\b(?! from)(?=[ <])/gm
  const names = texts.flatMap((text) => [...text.matchAll(declaration)].map((match) => match[1]!))
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))]
}

function missingFiles(text: string): string[] {
  const known = new Set(files.map((path) => basename(path)))
  return [...text.matchAll(/[\w./-]*\w\.ts\b/g)].map(([name]) => name).filter((name) => !known.has(basename(name)))
}
