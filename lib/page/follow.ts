/** Streams that are opened again after they end. */
import { type Api, ServerRefusal } from './api.ts'
import { backoffMs } from './backoff.ts'
import type { StreamEvent } from './event-stream.ts'

export interface FollowedStream {
  /** Returns path and query. Called before each attempt. */
  path: (signal: AbortSignal) => string | Promise<string>
  opened: () => void
  /** Returns false to end the stream: it is opened again a second later. */
  take: (events: StreamEvent[]) => boolean
  /** Called when a stream has failed or ended. */
  failed: (error: unknown) => void
}

const pauseMs = 1_000

/** Follows a stream until its caller ends it, or the server refuses it in a way that stays. @returns a function that ends it */
export function follow(api: Api, { path, opened, take, failed }: FollowedStream): () => void {
  const end = new AbortController()
  const { signal } = end
  let timer: ReturnType<typeof setTimeout>
  let failures = 0
  async function connect() {
    let waitMs = pauseMs
    try {
      await api.stream(await path(signal), signal, opened, (events) => {
        failures = 0
        return take(events)
      })
    } catch (error) {
      if (signal.aborted) return
      failed(error)
      if (isFinal(error)) return
      waitMs = backoffMs(++failures)
    }
    timer = setTimeout(connect, waitMs)
  }
  void connect()
  return () => {
    end.abort()
    clearTimeout(timer)
  }
}

/** Whether another attempt would be refused, too. A store of another name may be served again after a restart. */
function isFinal(error: unknown): boolean {
  return error instanceof ServerRefusal && error.status < 500 && error.status !== 404
}
