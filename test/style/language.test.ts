/** Plain technical English: words that a reader has to translate do not occur in code, messages and documents. */
import { expect, test } from 'bun:test'
import { read, repositoryFiles } from './repository.ts'

/** Words with the plain ones to use instead. */
const words: readonly [pattern: RegExp, instead: string][] = [
  [/\bwho(so)?ever\b/gi, 'anyone who, the caller'],
  [/\bwhatever\b/gi, 'any, regardless of'],
  [/\bof one's own\b/gi, 'own, separate'],
  [/\b(is|are) none of\b/gi, 'is not one of'],
  [/\b(tells?|told|telling)\b/gi, 'report, log, say, show'],
  [/[a-z](Tell|Told)\b|\b(tell|told)[A-Z]/g, 'log, report, received'],
  [/\banew\b/gi, 'again'],
  [/\bas ever\b/gi, 'continues'],
  [/\b(is|are) gone\b/gi, 'deleted, closed, lost'],
  [
    /(?<!there )\bis no (flag|setting|property|option|name|format|file|directory|path|JSON|UTF-8|UUID|number)\b/gi,
    'is not a …',
  ],
  [/\btr(y|ies|ying) on\b/gi, 'retry, still retrying'],
  [/\bcounts? before\b/gi, 'takes precedence over, overrides'],
  [/\bno right to\b/gi, 'permission denied'],
  [/\bwithout a word\b/gi, 'without a message'],
  [/\ball is well\b/gi, 'no problems found'],
  [/\bfor good\b/gi, 'permanently, finally'],
  [/\bto be sure of\b/gi, 'to verify'],
  [/\bmay be that\b/gi, 'perhaps'],
  [/\b(goes?|going|went) on\b(?! (to|at)\b)/gi, 'continues'],
  [/\b(nobody|somebody)\b/gi, 'no one, nothing, another'],
  [/\bbecomes of\b/gi, 'happens to'],
  [/\bfor ever\b/gi, 'forever, indefinitely'],
  [/\bcomes? back\b/gi, 'returns'],
]

const files = repositoryFiles().filter((path) => {
  if (path === 'main.ts') return true
  return /^(lib|test)\//.test(path)
    ? /\.(ts|js|md)$/.test(path) && path !== 'test/style/language.test.ts'
    : /(^|\/)(README|DESIGN|CONTRIBUTING)\.md$/.test(path)
})

test.each(words)('%s occurs nowhere', (pattern, instead) => {
  const found = files.flatMap((path) => {
    return read(path)
      .split('\n')
      .flatMap((line, index) => (line.search(pattern) < 0 ? [] : [`${path}:${index + 1}: ${line.trim()}`]))
  })
  expect({ instead, found }).toEqual({ instead, found: [] })
})

test('the words are found where they occur, and not inside others', () => {
  const text =
    'Whoever told it anew, whatever tellLost says: it is gone for good. A threshold; untold; retelling; a flag.'
  const found = words.filter(([pattern]) => text.search(pattern) >= 0).map(([pattern]) => pattern.source)
  expect(found).toHaveLength(7)
})
