import { deadline } from '../deadline.ts'
import { loggerOf } from '../log/index.ts'

const log = loggerOf('store')

/** Runs one step of closing with a time limit. Logs its failure, so that the following steps still run. */
export async function closeStep(ms: number, step: Promise<void> | undefined): Promise<void> {
  if (step === undefined) return
  const ended = step.catch((error) => log.warn('Closing: {fault}', { fault: String(error) }))
  await deadline(ended, ms, () => undefined)
}
