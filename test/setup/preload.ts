/** Loaded by `bun test` before all test files (bunfig.toml). */
import { afterAll, setDefaultTimeout } from 'bun:test'
import { plugin } from 'bun'
import { closeKafka } from '../support/kafka/broker/running.ts'
import { watchNpm } from './parent.ts'

/** A test that starts brokers on a loaded machine of 2 cores takes seconds; one that hangs must still end. */
const testTimeoutMs = 60_000

// The default holds for one file and bunfig.toml has no setting for it, so set it whenever a test file is loaded.
plugin({
  name: 'test timeout',
  setup(build) {
    build.onLoad({ filter: /(?:\.test|\/test\/tools\/[a-z-]+)\.ts$/ }, async ({ path }) => {
      setDefaultTimeout(testTimeoutMs)
      return { contents: await Bun.file(path).text(), loader: 'ts' }
    })
  },
})

// A worker of `--parallel` runs this after each file, and never knows its last one. What it started ends with its process.
if (!process.env['BUN_TEST_WORKER_ID']) afterAll(closeKafka)
watchNpm(() => process.exit(1))
