import { afterAll, setDefaultTimeout } from 'bun:test'

/** A test that starts brokers on a loaded machine of 2 cores takes seconds; one that hangs must still end. */
setDefaultTimeout(60_000)

/** Loaded before all test files (bunfig.toml): ends the brokers after the last one. Looks first, so that runs without Kafka load nothing. */
afterAll(async () => {
  if (!('latchkeyKafka' in globalThis)) return
  const { closeKafka } = await import('./index.ts')
  await closeKafka()
})
