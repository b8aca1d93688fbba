/**
 * The final message of a process that cannot continue. It is written before logging is configured, and at every log
 * level. Structured logging makes it a single line, so one failure is one event.
 */
import { jsonLine } from './format.ts'

/**
 * @param message may have several lines
 * @param hint what to do, if there is more to say
 * @returns text with a newline at the end of each line
 */
export function fatalText(message: string, structured: boolean, hint?: string): string {
  if (!structured) return `latchkey: ${message}\n${hint === undefined ? '' : `${hint}\n`}`
  const sentences = [...message.split('\n'), ...(hint === undefined ? [] : [hint])]
  return fatalLine(sentences.map((sentence) => sentence.trim()).join('\n'))
}

function fatalLine(message: string): string {
  return jsonLine({
    category: ['latchkey', 'main'],
    level: 'fatal',
    message: [message],
    rawMessage: message,
    properties: {},
    timestamp: Date.now(),
  })
}
