/**
 * Text from a topic, made visible. Keys and values may hold anything: control characters, characters that turn the
 * direction of the text around them, zero-width ones, halves of pairs. What a reader could not see, or what would change
 * how its surroundings look, becomes an escape such as `\n` or `\u{202e}`. Markup needs nothing: text never becomes HTML.
 */
const hidden = /([\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{fffd}]+)/u

/**
 * Returns parts by turns: text that can be shown as it is, then escapes.
 * @param keepsLayout line breaks and tabs stay what they are
 */
export function visibleParts(text: string, keepsLayout = false): string[] {
  const shown = (character: string) => (keepsLayout && '\n\t'.includes(character) ? character : escapeOf(character))
  return text.split(hidden).map((part, index) => (index % 2 === 0 ? part : Array.from(part, shown).join('')))
}

function escapeOf(character: string): string {
  return character === '\n' ? String.raw`\n` : `\\u{${character.codePointAt(0)!.toString(16)}}`
}
