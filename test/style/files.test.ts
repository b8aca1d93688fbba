import { expect, test } from 'bun:test'
import { importsOf, lineCount, read, repositoryFiles, sourceFiles } from './repository.ts'

const linesMax = 250
const mainLinesMax = 100
const topLevel = [
  'LICENSE',
  'README.md',
  'bunfig.toml',
  'lib',
  'main.ts',
  'package-lock.json',
  'package.json',
  'test',
  'tsconfig.json',
]
/** Where the executable and the library start: the main thread, store threads, the group thread, further HTTP threads, snapshot threads, the script of the page. */
const entryPoints = [
  'main.ts',
  'lib/index.ts',
  'lib/store-thread/thread.ts',
  'lib/group/group-thread.ts',
  'lib/server/http-thread.ts',
  'lib/map/snapshot/snapshot-thread.ts',
  'lib/page/main.tsx',
]

test('the top level holds what it should and nothing else', () => {
  const entries = new Set(repositoryFiles().map((path) => path.split('/')[0] ?? ''))
  expect([...entries].filter((entry) => !entry.startsWith('.')).toSorted()).toEqual(topLevel)
})

test('no source file is too long', () => {
  const long = sourceFiles()
    .filter((path) => lineCount(path) > (path === 'main.ts' ? mainLinesMax : linesMax))
    .map((path) => `${path} has ${lineCount(path)} lines`)
  expect(long).toEqual([])
})

test('every source file is reached from an entry point', () => {
  const reached = new Set<string>()
  const open = [...entryPoints]
  const files = new Set(sourceFiles())
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (!files.has(path) || reached.has(path)) continue
    reached.add(path)
    open.push(...importsOf(path))
  }
  // Declarations for libraries without types are found by the compiler, not imported.
  expect([...files].filter((path) => !reached.has(path) && !path.endsWith('.d.ts'))).toEqual([])
})

test('file names are kebab-case', () => {
  // A Java class is named as its file, and Cargo knows no other names.
  const pattern =
    /^(\.?[a-z0-9-]+(\.[a-z0-9-]+)*|README\.md|CONTRIBUTING\.md|DESIGN\.md|LICENSE|Cargo\.(toml|lock)|[A-Z]\w+\.java)$/
  const wrong = repositoryFiles().filter((path) => !path.split('/').every((part) => pattern.test(part)))
  expect(wrong).toEqual([])
})

/** The formatter moves a comment with the import that it precedes. */
test('no comment stands between imports', () => {
  const sources = repositoryFiles().filter((path) => /\.tsx?$/.test(path))
  expect(sources.filter((path) => hasCommentBetweenImports(read(path)))).toEqual([])
})

test('the check finds a comment between imports, and no other', () => {
  const imports = ["import a from 'a'", "import {\n  b,\n} from 'b'"]
  const comment = '/**\n * What the file is for.\n */'
  expect(hasCommentBetweenImports([imports[0], comment, imports[1]].join('\n'))).toBe(true)
  expect(hasCommentBetweenImports([comment, ...imports, '', comment, 'const c = 1'].join('\n'))).toBe(false)
})

function hasCommentBetweenImports(text: string): boolean {
  return /^import\b[^']*'[^'\n]+'\n+\/[*/][^;=]*?^import\b/m.test(text)
}
