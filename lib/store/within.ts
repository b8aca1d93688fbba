import { loggerOf } from '../log.ts'

const log = loggerOf('store')

/** A step of closing: its failure or delay must not keep the rest from happening. */
export async function within(ms: number, step: Promise<void> | undefined): Promise<void> {
  if (step === undefined) return
  let timer: ReturnType<typeof setTimeout> | undefined
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([step.catch((error) => log.warn('Closing: {fault}', { fault: String(error) })), bound])
  clearTimeout(timer)
}
