import { deadline } from '../deadline.ts'
import { loggerOf } from '../log/index.ts'

const log = loggerOf('store')

/** A step of closing: its failure or delay must not keep the rest from happening. */
export async function within(ms: number, step: Promise<void> | undefined): Promise<void> {
  if (step === undefined) return
  const ended = step.catch((error) => log.warn('Closing: {fault}', { fault: String(error) }))
  await deadline(ended, ms, () => undefined)
}
