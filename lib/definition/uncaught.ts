/** Describes in one line an error that nothing has caught, and that ends its thread. */
import { dirname } from 'node:path'
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import { pathOf } from './call-site.ts'
import { ownFrame, sayingOf, shownPath } from './describe-thrown.ts'

const leftBehind = '; a promise or timer that the store module left behind?'

/** Paths of the modules that this thread has loaded. */
const modules = new Set<string>()

/** To be called before a module is loaded. */
export function noteModule(moduleUrl: string): void {
  const path = pathOf(moduleUrl)
  if (path !== undefined) modules.add(path)
}

/** For an error of this thread. If it is a module's, the place in the module is named; else this is its message. */
export function describeUncaught(thrown: unknown): string {
  if (isInstance(thrown, LatchkeyError)) return messageOf(thrown)
  for (const path of modules) {
    const frame = ownFrame(thrown, path)
    if (frame === undefined) continue
    const place = `${shownPath(frame.file, dirname(path))}:${frame.line}`
    return `Running the store module: ${sayingOf(thrown)}, at ${place}${leftBehind}`
  }
  return messageOf(thrown)
}

/**
 * For another thread.
 * @param report Bun's report of a worker's end. It has the error, the source around it, and a stack
 * @param hasModule whether a store module ran in the thread
 */
export function describeEnd(report: string, hasModule: boolean): string {
  const lines = report.split('\n')
  const error = /^\w*error: (.*)$/i.exec(lines.find((line) => /^\w*error: /i.test(line)) ?? '')?.[1] ?? lines[0]!
  const frame = lines.find((line) => /^\s+at /.test(line)) ?? ''
  const place = /^([^:]+:\d+):\d+\)?$/.exec(frame.split(/[/\\(\s]/).at(-1)!)?.[1]
  const where = place === undefined ? '' : `, at ${place}`
  return `${error}${where}${hasModule ? leftBehind : ''}`
}
