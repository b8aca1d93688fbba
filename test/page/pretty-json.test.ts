import { describe, expect, test } from 'bun:test'
import { prettyJson } from '../../lib/page/pretty-json.ts'
import { readingOf } from '../../lib/page/reading.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const shown = (json: string) =>
  prettyJson(json)
    ?.map(({ text }) => text)
    .join('')

describe('JSON', () => {
  test('it gets a line for each member, and short lists stay in one', () => {
    expect(shown(`{"a":{"b":[1,2,{"c":null}],"d":"${'x'.repeat(70)}"},"e":[],"f":{}}`)).toBe(
      `{\n  "a": {\n    "b": [1, 2, {"c": null}],\n    "d": "${'x'.repeat(70)}"\n  },\n  "e": [],\n  "f": {}\n}`,
    )
  })

  test.each(['12345678901234567890.10', '1E400', '-0', '0.10', 'true', 'null', '"a"', '[]', '{}', ' [ 1 ] '])(
    'no character of %s changes but white space',
    (json) => expect(shown(json)).toBe(json.trim().replaceAll(/\s/g, '')),
  )

  test('repeated and numeric names stay, in their order', () => {
    expect(shown('{"b":1,"1":2,"b":3}')).toBe('{"b": 1, "1": 2, "b": 3}')
  })

  test('strings with quotes, brackets, commas and escapes stay whole', () => {
    const text = String.raw`{"a\"}":"[1,2]\\","é\u0000":",:"}`
    expect(prettyJson(text)!.filter(({ kind }) => kind !== 'mark')).toEqual([
      { kind: 'name', text: String.raw`"a\"}"` },
      { kind: 'text', text: String.raw`"[1,2]\\"` },
      { kind: 'name', text: String.raw`"é\u0000"` },
      { kind: 'text', text: '",:"' },
    ])
  })

  test('it means what it meant before', () => {
    const value = {
      a: [1, -2.5e-3, [true, [[]]], { '': 'x', ']': '}' }],
      b: 'y'.repeat(200),
      c: [{ d: 'z'.repeat(90) }],
    }
    for (const json of [JSON.stringify(value), JSON.stringify(value, null, 3)]) {
      expect(JSON.parse(shown(json)!)).toEqual(value)
    }
  })

  test.each(['', '{', '{"a":1,}', 'NaN', '01', '{}{}', "{'a':1}"])('%j is not JSON', (text) => {
    expect(prettyJson(text)).toBeUndefined()
  })
})

describe('a value', () => {
  test.each([33, 100_000])('nested %d times is text', (depth) => {
    const text = '['.repeat(depth) + ']'.repeat(depth)
    expect(readingOf(utf8(text))).toEqual({ form: 'Text', text, bytes: 2 * depth })
  })

  test('that is not UTF-8 is shown as bytes', () => {
    const { form, text } = readingOf(Uint8Array.of(0, 255, 65, 126))
    expect([form, text]).toEqual(['Bytes', `00 ff 41 7e${' '.repeat(39)}··A~\n`])
  })

  test('of many megabytes is cut, within a character, too', () => {
    const { form, text, bytes } = readingOf(utf8(`a${'é'.repeat(3_000_000)}`))
    expect([form, bytes, text.length]).toEqual(['Beginning', 6_000_001, 1 + (2 * 1024 * 1024) / 2 - 1])
  })

  test.each([
    ['[0,', '0,', '0]'],
    ['a\n', 'b\n', 'c'],
  ])('of hundreds of thousands of lines is cut: %j', (first, line, last) => {
    const { form, text } = readingOf(utf8(first + line.repeat(300_000) + last))
    expect([form, text.split('\n').length]).toEqual(['Beginning', 20_000])
    expect(readingOf(utf8(first + line.repeat(10_000) + last)).form).not.toBe('Beginning')
  })

  test('with a byte order mark is text, which shows it', () => {
    expect(readingOf(utf8('\uFEFF{}'))).toEqual({ form: 'Text', text: '\uFEFF{}', bytes: 5 })
  })
})
