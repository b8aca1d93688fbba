import { expect, test } from 'bun:test'
import { read, sourceFiles } from './repository.ts'

/** A class guards its state: another file calls a verb, it does not assign. */
function openFields(text: string): string[] {
  const classes = text.match(/^(?:export )?(?:abstract )?class [^]*?^}/gm) ?? []
  const field = /^ {2}((?:(?:static|protected|public|declare) )*(?:set \w+\(|[a-zA-Z]\w*(?:[?!]?(?::| =) |$))[^\n]*)$/gm
  return classes.flatMap((source) => [...source.matchAll(field)].map(([, found]) => found!))
}

test.each([
  ['lib/store-thread/', 80],
  ['lib/resp/', 20],
])('a class of %s has no public field that can be assigned', (folder, filesMin) => {
  const files = sourceFiles().filter((path) => path.startsWith(folder))
  expect(files.length).toBeGreaterThan(filesMin)
  expect(files.flatMap((path) => openFields(read(path)).map((field) => `${path}: ${field}`))).toEqual([])
})

test.each([
  ['export class Flusher {\n  published: () => void = () => {}\n}', 'published: () => void = () => {}'],
  ['class Batch {\n  nextSource = 0\n}', 'nextSource = 0'],
  ['class Discarded {\n  reached: number | undefined\n}', 'reached: number | undefined'],
  ['class Copy {\n  position\n}', 'position'],
  ['class Copy {\n  declare position: number\n}', 'declare position: number'],
  ['class Copy {\n  set position(offset: number) {\n  }\n}', 'set position(offset: number) {'],
])('the check finds %j', (source, field) => {
  expect(openFields(source)).toEqual([field])
})

test('the check passes over what is private, read-only, a method or an interface', () => {
  const fields = '  readonly keys = new Set<string>()\n  #bytes = 0\n  get count(): number {\n    return 1\n  }\n'
  expect(openFields(`class Keys {\n${fields}}\ninterface Copy {\n  position: number\n}`)).toEqual([])
})
