/** GET /: lists the paths, for a person at a terminal. */
import type { StoreStatus } from '../store-protocol/status.ts'
import { acceptable } from './accept.ts'

/** @param prefix before all paths; may be empty */
export function indexPage({ id, state, formats, group }: StoreStatus, prefix: string): string {
  const rows = [
    [`GET  ${prefix}/stores/${id}/<key>`, 'the latest value of a key, percent-encoded'],
    [`GET  ${prefix}/stores/${id}?key=<key>`, 'the same, for keys such as "a/../b" that a path does not keep'],
    [`GET  ${prefix}/stores/${id}?keys=<key>&keys=<key>`, 'several keys; QUERY or POST {"keys":[…]} for many'],
    [`GET  ${prefix}/stores/${id}?limit=100`, 'all entries by pages; as a stream with Accept: application/x-ndjson'],
    [`GET  ${prefix}/stores/${id}?count`, 'the number of entries'],
    [`GET  ${prefix}/changes/${id}?from=start`, 'all entries, then every change; ?keys=, ?prefix= for some of them'],
    [`GET  ${prefix}/status-store/${id}?pretty`, 'state, partitions, lag; without ?pretty in one line'],
    [`GET  ${prefix}/status-store/${id}/events`, 'the same and more as events, once a second'],
    ...(group === undefined
      ? []
      : [[`GET  ${prefix}/group`, 'the instances of this store, and who holds what'] as const]),
    [`POST ${prefix}/flush-store/${id}`, 'makes visible what awaits the next flush'],
    [`GET  ${prefix}/livez`, '200 while the process runs; also /status/liveness'],
    [`GET  ${prefix}/readyz?verbose`, '200 when recovered and caught up; also /status/readiness'],
    [`GET  ${prefix}/metrics`, 'Prometheus text; also /metrics/prometheus'],
    [`GET  ${prefix}/openapi.json`, 'all of this for programs, as OpenAPI 3.1'],
  ] as const
  const width = Math.max(...rows.map(([request]) => request.length))
  const lines = rows.map(([request, answer]) => `${request.padEnd(width)}  ${answer}`)
  return `Latchkey: store ${id}, ${state}

${lines.join('\n')}
${describeFormats(formats)}`
}

/** Empty if keys and values are raw bytes. */
function describeFormats({ key, value }: StoreStatus['formats']): string {
  if (key === 'raw' && value === 'raw') return ''
  return `
Keys    ${key}
Values  ${value}, as the Accept header asks: ${acceptable.join(', ')}
`
}
