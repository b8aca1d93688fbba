/** Lines that this thread logs. */
import { configureLogging, type LogLevel } from '../../../lib/log/index.ts'

export interface Line {
  level: string
  category: string
  message: string
  properties: Record<string, unknown>
}

/** Lines from now on, until logging is configured again. */
export function linesAt(level: LogLevel): Line[] {
  const lines: Line[] = []
  const write = (text: string) => void lines.push(JSON.parse(text) as Line)
  configureLogging({ level, structured: true, write })
  return lines
}
