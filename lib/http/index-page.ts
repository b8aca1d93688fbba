/** GET /: what there is to ask for, for a person with a terminal. */
import type { StoreStatus } from '../store/contract/status.ts'

export function indexPage({ id, state }: StoreStatus): string {
  return `Latchkey: store ${id}, ${state}

GET  /stores/${id}/<key>       the latest value of a key, percent-encoded
GET  /stores/${id}?key=<key>   the same, for keys such as "a/../b" that a path does not keep
GET  /status-store/${id}       state, partitions, lag
POST /flush-store/${id}        make visible what awaits the next flush
GET  /livez                 alive?  also /status/liveness
GET  /readyz?verbose        ready?  also /status/readiness
GET  /metrics               for Prometheus; also /metrics/prometheus
`
}
