/** What all streams of events have in common. */
import { noSniff } from './responses.ts'

/** After a connection that has ended, a browser waits so long before it connects again. */
export const retry = 'retry: 2000\n'

/** Proxies that buffer answers would hold back events; nginx reads X-Accel-Buffering. */
export function streamHeaders(contentType: string): Record<string, string> {
  return {
    'Content-Type': contentType,
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
    Vary: 'Accept',
    ...noSniff,
  }
}
