/** GET /: what there is to ask for, for a person with a terminal. */
import type { StoreStatus } from '../store-protocol/status.ts'
import { acceptable } from './accept.ts'

/** @param prefix what all paths begin with here; empty where they begin as they are */
export function indexPage({ id, state, formats }: StoreStatus, prefix: string): string {
  return `Latchkey: store ${id}, ${state}

GET  ${prefix}/stores/${id}/<key>       the latest value of a key, percent-encoded
GET  ${prefix}/stores/${id}?key=<key>   the same, for keys such as "a/../b" that a path does not keep
GET  ${prefix}/status-store/${id}?pretty  state, partitions, lag; without ?pretty in one line
POST ${prefix}/flush-store/${id}        make visible what awaits the next flush
GET  ${prefix}/livez                 alive?  also /status/liveness
GET  ${prefix}/readyz?verbose        ready?  also /status/readiness
GET  ${prefix}/metrics               for Prometheus; also /metrics/prometheus
${describeFormats(formats)}`
}

/** Empty where bytes pass as they are. */
function describeFormats({ key, value }: StoreStatus['formats']): string {
  if (key === 'raw' && value === 'raw') return ''
  return `
Keys    ${key}
Values  ${value}, as the Accept header asks: ${acceptable.join(', ')}
`
}
