/** GET /: lists the paths, for a person at a terminal. */
import type { StoreStatus } from '../store-protocol/status.ts'
import { acceptable } from './accept.ts'

/** @param prefix before all paths; may be empty */
export function indexPage({ id, state, formats }: StoreStatus, prefix: string): string {
  return `Latchkey: store ${id}, ${state}

GET  ${prefix}/stores/${id}/<key>       the latest value of a key, percent-encoded
GET  ${prefix}/stores/${id}?key=<key>   the same, for keys such as "a/../b" that a path does not keep
GET  ${prefix}/stores/${id}?keys=<key>&keys=<key>  several keys; QUERY or POST {"keys":[…]} for many
GET  ${prefix}/stores/${id}?limit=100  all entries by pages; as a stream with Accept: application/x-ndjson; ?count
GET  ${prefix}/status-store/${id}?pretty  state, partitions, lag; without ?pretty in one line
POST ${prefix}/flush-store/${id}        make visible what awaits the next flush
GET  ${prefix}/livez                 alive?  also /status/liveness
GET  ${prefix}/readyz?verbose        ready?  also /status/readiness
GET  ${prefix}/metrics               for Prometheus; also /metrics/prometheus
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
