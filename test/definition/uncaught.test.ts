import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeEnd } from '../../lib/definition/index.ts'
import { ModuleFolder } from '../support/definition/module-folder.ts'
import { soon } from '../support/until.ts'

let folder: ModuleFolder
beforeAll(() => {
  folder = new ModuleFolder()
})
afterAll(() => folder.remove())

/** What Bun reports of a thread that ends so. */
async function reportOf(name: string, text: string): Promise<string> {
  const worker = new Worker(folder.write(name, text))
  const report = Promise.withResolvers<string>()
  worker.onerror = ({ message }) => report.resolve(message)
  try {
    return await soon('the report', report.promise)
  } finally {
    worker.terminate()
  }
}

test('the end of a thread is one line with the error and its place', async () => {
  const report = await reportOf('late.ts', "setTimeout(() => {\n  throw new TypeError('too late')\n}, 0)\n")
  expect(describeEnd(report, false)).toBe('too late, at late.ts:2')
  expect(describeEnd(report, true)).toBe(
    'too late, at late.ts:2; a promise or timer that the store module left behind?',
  )
})

test('the end of a thread is one line when what was thrown is no Error', async () => {
  const report = await reportOf('text.ts', "setTimeout(() => {\n  throw 'too late'\n}, 0)\n")
  expect(describeEnd(report, false)).toMatch(/^.*too late.*$/)
})
