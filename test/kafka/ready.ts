import { connect } from 'node:net'

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

/** Number of brokers in a Metadata response; 0 where none comes. kafkajs would bring its own retries and log lines. */
function brokersKnownTo(address: string): Promise<number> {
  const colon = address.lastIndexOf(':')
  return new Promise((resolve) => {
    let received = Buffer.alloc(0)
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon))
    socket.setTimeout(attemptTimeoutMs, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(0))
    socket.on('connect', () => socket.write(metadataRequest()))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 12) return
      resolve(received.readInt32BE(8)) // size, correlation id, then the array of brokers
      socket.destroy()
    })
  })
}

/** Metadata v1 (KIP-4) for no topic: size, api key 3, version 1, correlation id, client id null, empty array of topics. */
function metadataRequest(): Buffer {
  const request = Buffer.alloc(18)
  request.writeInt32BE(14, 0)
  request.writeInt16BE(3, 4)
  request.writeInt16BE(1, 6)
  request.writeInt32BE(1, 8)
  request.writeInt16BE(-1, 12)
  return request
}
