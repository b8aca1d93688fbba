/** The last words of a process that cannot go on, as lines: before there is a log, and whatever its level. */
import { jsonLine } from './format.ts'

/**
 * @param message may have several lines
 * @param hint what to do, if there is more to say
 * @returns with newlines at their ends
 */
export function fatalText(message: string, structured: boolean, hint?: string): string {
  if (!structured) return `latchkey: ${message}\n${hint === undefined ? '' : `${hint}\n`}`
  const sentences = [...message.split('\n'), ...(hint === undefined ? [] : [hint])]
  return sentences.map((sentence) => fatalLine(sentence.trim())).join('')
}

function fatalLine(sentence: string): string {
  return jsonLine({
    category: ['latchkey', 'main'],
    level: 'fatal',
    message: [sentence],
    rawMessage: sentence,
    properties: {},
    timestamp: Date.now(),
  })
}
