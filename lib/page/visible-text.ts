/**
 * Text from a topic, made visible. Keys and values may hold anything: control characters, characters that turn the
 * direction of the text around them, zero-width ones, halves of pairs. What a reader could not see, or what would change
 * how its surroundings look, becomes an escape such as `\n` or `\u{202e}`. Markup needs nothing: text never becomes HTML.
 */
const hidden = /([\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{fffd}])/u
/** Line breaks and tabs lay out a value. */
const hiddenInLayout = /((?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{fffd}])/u

/** Returns parts by turns: text that can be shown as it is, then an escape. */
export function visibleParts(text: string, keepsLayout = false): string[] {
  const parts = text.split(keepsLayout ? hiddenInLayout : hidden)
  return parts.map((part, index) => (index % 2 === 0 ? part : escapeOf(part)))
}

function escapeOf(character: string): string {
  return character === '\n' ? String.raw`\n` : `\\u{${character.codePointAt(0)!.toString(16)}}`
}
