/** Documents: links lead somewhere, README.md is within its bound of lines and bytes, and what is generated is what is committed. */
import { expect, test } from 'bun:test'
import { generatedDocuments } from '../setup/docs.ts'
import { anchorsOf, linksOf, longLines } from './markdown.ts'
import { lineCount, read, repositoryFiles } from './repository.ts'

const files = new Set(repositoryFiles())
const documents = [...files].filter((path) => path.endsWith('.md'))
const readmes = documents.filter((path) => path.endsWith('README.md'))
const lineLengthMax = 120
const readmeLinesMax = 250
const readmeBytesMax = 20_000

test.each(documents)('the links of %s lead to a file and a heading', (path) => {
  expect(brokenLinks(path, read(path))).toEqual([])
})

test('README.md is within its bound of lines and bytes', () => {
  expect(lineCount('README.md')).toBeLessThanOrEqual(readmeLinesMax)
  expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(readmeBytesMax)
})

test.each(readmes)('no line of prose in %s is too long', (path) => {
  expect(longLines(read(path), lineLengthMax)).toEqual([])
})

test('README.md leads to every other README', () => {
  const linked = new Set(linksOf('README.md', read('README.md')).map((link) => link.path))
  expect(readmes.filter((path) => path !== 'README.md' && !linked.has(path))).toEqual([])
})

test('generated documents are current', () => {
  for (const [path, text] of generatedDocuments()) expect([path, read(path)]).toEqual([path, text])
})

test('the check of links finds a missing file and a missing heading', () => {
  const text =
    'See [a](lib/nowhere.md), [b](#none), `[c](code.md)`, [d](https://example.org/x.md), [e][f].\n\n[f]: gone.md\n'
  expect(brokenLinks('README.md', text)).toEqual(['lib/nowhere.md', 'README.md#none', 'gone.md'])
  expect(anchorsOf('# One `two`, three\n## One\n## One\n```\n# code\n```\n### A_B …')).toEqual([
    'one-two-three',
    'one',
    'one-1',
    'a_b-',
  ])
  expect(longLines('short\nlonger line\n| longer row |\n```\nlonger code\n```', 6)).toEqual([2])
})

function brokenLinks(from: string, text: string): string[] {
  return linksOf(from, text)
    .filter(({ path, anchor }) => {
      if (!files.has(path)) return true
      return anchor !== '' && !anchorsOf(path === from ? text : read(path)).includes(anchor)
    })
    .map(({ path, anchor }) => (anchor === '' ? path : `${path}#${anchor}`))
}
