import { describe, expect, test } from 'bun:test'
import { visibleParts } from '../../lib/page/visible-text.ts'

describe('text from a topic', () => {
  test.each([
    ['plain', ['plain']],
    ['', ['']],
    ['<b>&amp;', ['<b>&amp;']],
    ['a\u202Eb', ['a', String.raw`\u{202e}`, 'b']],
    ['\0\u001B[31m', ['', String.raw`\u{0}\u{1b}`, '[31m']],
    ['\n', ['', String.raw`\n`, '']],
    ['\uD800x', ['', String.raw`\u{d800}`, 'x']],
    ['\u2066\uFEFF\u200B\u2028', ['', String.raw`\u{2066}\u{feff}\u{200b}\u{2028}`, '']],
    ['\u{E0041}', ['', String.raw`\u{e0041}`, '']],
    ['שלום 😀', ['שלום 😀']],
  ])('%j is shown in parts, every second one an escape', (text, parts) => {
    expect(visibleParts(text)).toEqual(parts)
  })

  test('line breaks and tabs lay out a value, other controls do not', () => {
    expect(visibleParts('a\n\tb\r\u0007', true)).toEqual(['a', '\n\t', 'b', String.raw`\u{d}\u{7}`, ''])
  })
})
