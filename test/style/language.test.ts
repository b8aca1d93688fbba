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
    ? /\.(tsx?|js|md|css|html)$/.test(path) && path !== 'test/style/language.test.ts'
    : /(^|\/)(README|DESIGN|CONTRIBUTING)\.md$/.test(path)
})

test.each(words.map(([pattern, instead]) => [pattern.source, pattern, instead] as const))(
  '%s occurs nowhere',
  (_source, pattern, instead) => {
    const found = files.flatMap((path) => placesIn(read(path), pattern).map((place) => `${path}:${place}`))
    expect({ instead, found }).toEqual({ instead, found: [] })
  },
)

test('lib and the documents say "is not a …"', () => {
  const isNo = /(?<!there )\b(is|are) no (?!longer|more|less|such|other)\w+/gi
  const shown = files.filter((path) => !path.startsWith('test/') || path.endsWith('.md'))
  expect(shown.flatMap((path) => placesIn(read(path), isNo).map((place) => `${path}:${place}`))).toEqual([])
  expect(
    placesIn('There is no such key.\nIt is no key, and they\nare no keys; it is no longer there.', isNo),
  ).toHaveLength(2)
})

test('the words are found where they occur, and not inside others', () => {
  const text =
    'Whoever told it anew, whatever tellLost says: it is gone for good. A threshold; untold; retelling; a flag.'
  const found = words.filter(([pattern]) => placesIn(text, pattern).length > 0).map(([pattern]) => pattern.source)
  expect(found).toHaveLength(7)
})

test('a phrase is found where a line of prose or of a comment breaks it', () => {
  const gone = /\bis gone\b/g
  expect(placesIn('It\nis\ngone.', gone)).toEqual(['2: is'])
  expect(placesIn('// it is\n  // gone', gone)).toEqual(['1: // it is'])
  expect(placesIn('/**\n * It is\n * gone.\n */', gone)).toEqual(['2: * It is'])
  expect(placesIn('- it is\n\n- gone', gone)).toEqual([])
})

/** A space of a phrase, or the end of a line, with what begins the next line of a comment or a quotation. */
const space = String.raw`(?: |[ \t]*\n[ \t]*(?:// |\* |> )?)`

/** Number and text of the line where each occurrence begins. */
function placesIn(text: string, { source, flags }: RegExp): string[] {
  const found = text.matchAll(new RegExp(source.replaceAll(' ', space), flags))
  return [...found].map(({ index }) => {
    const lines = text.slice(0, index).split('\n')
    return `${lines.length}: ${text.split('\n')[lines.length - 1]!.trim()}`
  })
}
