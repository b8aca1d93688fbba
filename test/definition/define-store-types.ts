/** What the compiler makes of store definitions; `npm run check` is the test, nothing here is run. */
import * as v from 'valibot'
import { avro, defineStore, type Definition, json, protobuf, skip } from '../../lib/definition/index.ts'
import type { Json } from '../../lib/format/index.ts'

interface Order {
  id: string
  items: readonly { price: number }[]
}

interface Total {
  total: number
  updates?: number
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(isSame: Same<A, B>): void

// Names of formats.
const simple = defineStore({ key: 'int64', input: 'utf8' })
same<typeof simple, Definition<bigint, string, string>>(true)
same<typeof simple, Definition<string, string, string>>(false)

// JSON that is believed, and conversion.
const converted = defineStore({
  key: 'utf8',
  input: json<Order>(),
  value: json<Total>(),
  convert(order, { key, offset }) {
    same<typeof order, Order>(true)
    same<typeof key, string>(true)
    same<typeof offset, number>(true)
    if (order.items.length === 0) return null
    if (order.id === '') return skip
    return { total: order.items.reduce((sum, { price }) => sum + price, 0) }
  },
  onNew(key, value) {
    same<typeof key, string>(true)
    value.updates = 0
  },
  onUpdate(_key, old, value) {
    same<typeof old, Total>(true)
    return { ...value, updates: (old.updates ?? 0) + 1 }
  },
  onDelete: (_key, old) => void old.total,
})
same<typeof converted, Definition<string, Order, Total>>(true)

// Schemas, alone and over a format.
const schema = v.object({ id: v.string(), price: v.optional(v.number(), 0) })
const validated = defineStore({
  key: { format: 'utf8', schema: v.pipe(v.string(), v.uuid()) },
  input: { format: protobuf({ file: 'order.proto', message: 'Order' }), schema },
  value: schema,
})
same<typeof validated, Definition<string, { id: string; price: number }, { id: string; price: number }>>(true)

// Formats with files.
const described = defineStore({
  key: 'raw',
  input: avro<Order>({ file: 'order.avsc' }),
  value: 'json',
  convert: ({ id }) => ({ id }),
})
same<typeof described, Definition<Uint8Array, Order, Json>>(true)

// A custom codec.
const own = defineStore({
  key: 'utf8',
  input: {
    decode: (bytes: Uint8Array) => new Date(Number(Buffer.from(bytes).toString())),
    encode: (date: Date) => Buffer.from(String(date.getTime())),
  },
  onUpdate: (_key, old, value) => (old > value ? old : value),
})
same<typeof own, Definition<string, Date, Date>>(true)

const unannotated = defineStore({
  key: { decode: (bytes) => bytes.length, encode: () => new Uint8Array() },
  input: 'json',
  onDelete: (key) => same<typeof key, number>(true),
})
same<typeof unannotated, Definition<number, Json, Json>>(true)

// @ts-expect-error -- an unknown format
defineStore({ key: 'utf-8', input: 'json' })

// @ts-expect-error -- other values than the topic has, and nothing that converts them
defineStore({ key: 'utf8', input: json<Order>(), value: json<Total>() })

// @ts-expect-error -- convert returns something else than is stored
defineStore({ key: 'utf8', input: json<Order>(), value: json<Total>(), convert: ({ id }) => ({ id }) })

// @ts-expect-error -- convert is not waited for
defineStore({ key: 'utf8', input: json<Order>(), value: json<Total>(), convert: async () => ({ total: 1 }) })

// @ts-expect-error -- the input has no such member
defineStore({ key: 'utf8', input: json<Order>(), value: 'utf8', convert: (order) => order.name })

// @ts-expect-error -- a callback returns something else than is stored
defineStore({ key: 'utf8', input: json<Total>(), onUpdate: (_key, old) => old.total })

// @ts-expect-error -- a number is no key of this store
defineStore({ key: 'utf8', input: 'json', onDelete: (key: number) => void key })

// @ts-expect-error -- the input is missing
defineStore({ key: 'utf8' })
