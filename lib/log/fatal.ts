/** The last words of a process that cannot go on, before there is a log, and at every level of it. Structured they are one line, so that one failure is one event. */
import { jsonLine } from './format.ts'

/**
 * @param message may have several lines
 * @param hint what to do, if there is more to say
 * @returns with newlines at their ends
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
