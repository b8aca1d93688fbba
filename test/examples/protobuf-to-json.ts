// Protocol Buffers in, JSON out: messages are their JSON form, with 64-bit integers as strings, fields in camelCase, defaults left out.
import { defineStore, json, protobuf } from 'latchkey'

interface Order {
  id?: string
  customer?: { id?: string; displayName?: string }
  lines?: { product?: string; quantity?: number }[]
}

export default defineStore({
  key: 'utf8',
  input: protobuf<Order>({ file: './order.proto', message: 'shop.Order' }),
  value: json<{ customer: string | null; items: number }>(),
  convert: ({ customer, lines = [] }) => ({
    customer: customer?.displayName ?? null,
    items: lines.reduce((sum, { quantity = 0 }) => sum + quantity, 0),
  }),
})
