import { expect, test } from 'bun:test'
import { read, repositoryFiles } from './repository.ts'

interface Leftover {
  name: string
  pattern: RegExp
  files: RegExp
  sample: string
}

const code = /\.(tsx?|js)$/
/** Pictures are not text. */
const any = /(?<!\.png)$/
const tests = /\.test\.ts$/

const leftovers: Leftover[] = [
  { name: 'a note for later', pattern: /\b(TODO|FIXME|XXX|HACK)\b/, files: any, sample: '// TODO: later' },
  { name: 'a breakpoint', pattern: /^\s*debugger\b/m, files: code, sample: '  debugger' },
  {
    name: 'a focused, skipped or failing test',
    pattern: /\b(test|describe|it)\.(only|skip|todo|failing|if|skipIf|todoIf)\b/,
    files: tests,
    sample: "test.only('a'",
  },
  {
    name: 'an expectation without await',
    pattern: /^\s*expect\(.*\)\s*\.(rejects|resolves)\b/m,
    files: tests,
    sample: '  expect(send()).rejects.toThrow()',
  },
  {
    name: 'a wait that only the bound of the whole test ends: until() names what does not come',
    pattern: /\bwhile \(.*\) (\w+ = )?await |^( *)while \(.*\{\n(?:\2 +.*\n){0,12}?\2 +(?:if .*)?await Bun\.sleep\(/m,
    files: tests,
    sample: '  while (asked.length < 1) {\n    ask()\n    await Bun.sleep(1)\n',
  },
  {
    name: 'output past the log',
    pattern: /\bconsole\.\w+\(/,
    files: /^lib\/(?!log).*\.tsx?$/,
    sample: "console.log('here')",
  },
  {
    name: 'a package registry',
    pattern: /\bregistry\.(npmjs|yarnpkg)\b|\brepo1?\.maven\b|\bartifactory\b|"resolved":\s*"http/i,
    files: any,
    sample: '"resolved": "https://example.org/a.tgz"',
  },
  {
    name: 'a path of one machine',
    pattern: /(?<![\w.])(\/home\/|\/Users\/|\/root\/|\/work\/)\w|[A-Z]:\\Users/,
    files: any,
    sample: "'/home/someone/latchkey'",
  },
]

/** This file alone may spell them. */
const self = 'test/style/leftovers.test.ts'

test.each(leftovers)('no file holds $name', ({ pattern, files }) => {
  const found = repositoryFiles()
    .filter((path) => path !== self && files.test(path))
    .filter((path) => pattern.test(read(path)))
  expect(found).toEqual([])
})

test.each(leftovers)('the check finds $name', ({ pattern, sample }) => {
  expect(sample).toMatch(pattern)
})
