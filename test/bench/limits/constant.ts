/** Serves the constant answer in a separate process: the upper bound of lookups for every contender, since there is no store. */
import { join } from 'node:path'
import { freePorts } from '../../support/process/ports.ts'

export interface ConstantAnswer extends AsyncDisposable {
  url: string
  /** Path of a lookup, without the key; any other does, too. */
  lookupPath: string
}

/** @param bytes of the answer */
export async function constantAnswer(bytes: number): Promise<ConstantAnswer> {
  const [port = 0] = await freePorts(1)
  const script = join(import.meta.dir, 'constant-answer.ts')
  const server = Bun.spawn([process.execPath, script, String(port), String(bytes)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(url).catch(() => undefined))?.ok) await Bun.sleep(10)
  return {
    url,
    lookupPath: '/stores/constant/',
    async [Symbol.asyncDispose]() {
      server.kill()
      await server.exited
    },
  }
}
