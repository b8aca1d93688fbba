import { SchemaPending } from '../../../../lib/format/index.ts'

/** What a codec says when nothing is pending any more: as ingest and HTTP wait for it. */
export async function settled<T>(ask: () => T): Promise<T> {
  for (;;) {
    try {
      return ask()
    } catch (error) {
      if (!(error instanceof SchemaPending)) throw error
      await error.ready
    }
  }
}

export function isPending(ask: () => unknown): boolean {
  try {
    ask()
    return false
  } catch (error) {
    return error instanceof SchemaPending
  }
}

/** A value of `avroSchema`, under an id. */
export function wire(id: number, ...payload: number[]): Uint8Array {
  const bytes = new Uint8Array(5 + payload.length)
  new DataView(bytes.buffer).setUint32(1, id)
  bytes.set(payload, 5)
  return bytes
}
