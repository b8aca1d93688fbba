/** C0 and C1 controls, DEL, line and paragraph separators, and marks that change the direction of text. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

const shortEscapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Makes external text safe for a terminal. Escapes every character that could move the cursor, start a line
 * or hide text.
 */
export function escapeControls(text: string): string {
  return text.replace(controls, (character) => {
    return shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
