// How often an order has changed since it was new. Exact, also over a crash: what is counted is what the changelog holds.
import { defineStore, json } from 'latchkey'

interface Order {
  status: string
  updates?: number
}

export default defineStore({
  key: 'utf8',
  input: json<Order>(),
  onNew(_key, order) {
    order.updates = 0
  },
  onUpdate(_key, old, order) {
    order.updates = (old.updates ?? 0) + 1
  },
})
