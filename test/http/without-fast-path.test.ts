/** The tests of this folder once more, without the fast path. Files that choose the path themselves are left out. */
import { afterAll, beforeAll, describe } from 'bun:test'
import { read, repositoryFiles } from '../style/repository.ts'
import { serveWithFastPath } from '../support/http/fake-store.ts'

const files = repositoryFiles().filter((path) => /^test\/http\/[^/]*\.test\.ts$/.test(path))
const both = files.filter((path) => /\bserveFake\(/.test(read(path)) && !/hasFastPath|FastPath\(false/.test(read(path)))

describe('without the fast path', async () => {
  beforeAll(() => serveWithFastPath(false))
  afterAll(() => serveWithFastPath(true))
  for (const path of both) await import(`../../${path}`)
})
