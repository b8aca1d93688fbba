/** What a value is to a reader: JSON with indentation, text, or bytes. */
import { type JsonToken, prettyJson } from './pretty-json.ts'

export interface ValueReading {
  /** `Beginning` is that of text or JSON that is not shown further. */
  readonly form: 'JSON' | 'Text' | 'Beginning' | 'Bytes'
  readonly text: string
  /** Of JSON. */
  readonly tokens?: readonly JsonToken[]
  /** Length of the value. */
  readonly bytes: number
}

/** Of a longer value this much is shown. */
const bytesMax = 2 * 1024 * 1024
const dumpMax = 65_536
/** A browser takes seconds to lay out more. */
const linesMax = 20_000

export function readingOf(value: Uint8Array): ValueReading {
  const bytes = value.length
  try {
    const isWhole = bytes <= bytesMax
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const text = decoder.decode(value.subarray(0, bytesMax), { stream: !isWhole })
    const tokens = isWhole ? prettyJson(text) : undefined
    const whole = tokens?.map((token) => token.text).join('') ?? text
    const shown = whole.split('\n', linesMax).join('\n')
    if (!isWhole || shown !== whole) return { form: 'Beginning', text: shown, bytes }
    return tokens ? { form: 'JSON', text: whole, tokens, bytes } : { form: 'Text', text, bytes }
  } catch {
    return { form: 'Bytes', text: dump(value.subarray(0, dumpMax)), bytes }
  }
}

/** Lines of 16 bytes, and what of them is ASCII. */
function dump(value: Uint8Array): string {
  let text = ''
  for (let at = 0; at < value.length; at += 16) {
    const row = [...value.subarray(at, at + 16)]
    const hex = row.map((byte) => hexByte(byte)).join(' ')
    const ascii = String.fromCharCode(...row).replaceAll(/[^ -~]/g, '·')
    text += `${hex.padEnd(50)}${ascii}\n`
  }
  return text
}

/** Two digits. */
export function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
