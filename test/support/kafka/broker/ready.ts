import { array, ask } from '../request.ts'

const attemptTimeoutMs = 2_000
const pauseMs = 50

/** Waits until the broker behind host:port names itself in its metadata, hence takes part in its cluster. `failed` ends the waiting. */
export async function waitUntilReady(address: string, timeoutMs: number, failed: Promise<string>): Promise<void> {
  let failure: string | undefined
  void failed.then((reason) => (failure = reason))
  const deadline = performance.now() + timeoutMs
  for (;;) {
    if (failure !== undefined) throw new Error(`start Kafka at ${address}: it ended.\n${failure}`)
    if (performance.now() > deadline) throw new Error(`start Kafka at ${address}: no answer after ${timeoutMs} ms`)
    if ((await brokersKnownTo(address)) > 0) return
    await Bun.sleep(pauseMs)
  }
}

/** Number of brokers in a Metadata response (KIP-4) for no topic; 0 where none comes. */
async function brokersKnownTo(address: string): Promise<number> {
  const response = await ask(address, { apiKey: 3, apiVersion: 1, body: array([]) }, attemptTimeoutMs)
  return response?.readInt32BE(0) ?? 0
}
