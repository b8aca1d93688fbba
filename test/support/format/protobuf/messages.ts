/** Messages of the protos here, and any values of them. */
import { join } from 'node:path'
import fc from 'fast-check'
import { codecOf } from '../../../../lib/format/index.ts'
import { protos } from '../java/java.ts'

const files: Record<string, string> = { orders: 'orders/v1/order.proto', legacy: 'legacy.proto' }

export function codecNamed(message: string) {
  const file = join(protos, files[message.split('.')[0]!]!)
  return codecOf({ format: 'protobuf', file, include: [protos], message })
}

export const orders = codecNamed('orders.v1.Order')
export const former = codecNamed('orders.v1.FormerOrder')
export const legacy = codecNamed('legacy.Reading')
export const measured = codecNamed('legacy.Measured')

const short = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => text.isWellFormed() && text !== '')
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).filter((value) => value !== 0n)
const jsonOf = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value))
const money = fc.record({ currency: short, units: int64.map(jsonOf) }, { requiredKeys: [] })
/** Any order, as JSON. */
export const order = fc.record(
  {
    id: short,
    status: fc.constantFrom('STATUS_OPEN', 'STATUS_SHIPPED', 99),
    lines: fc.array(fc.record({ product: short, price: money }, { requiredKeys: [] }), { minLength: 1, maxLength: 4 }),
    labels: fc.dictionary(short, short, { minKeys: 1, maxKeys: 6 }),
    rates: fc.dictionary(int64.map(String), money, { minKeys: 1, maxKeys: 6 }),
    priority: fc.integer(),
    signature: fc.uint8Array({ minLength: 1 }).map((bytes) => bytes.toBase64()),
    deltas: fc.array(fc.integer(), { minLength: 1 }),
    weight: fc
      .float({ min: Math.fround(-3e38), max: Math.fround(3e38), noNaN: true })
      .map(Math.fround)
      .filter((value) => value !== 0)
      .map(shortest),
    volume: fc.double({ noDefaultInfinity: true, noNaN: true }).filter((value) => value !== 0),
    balance: int64.map(jsonOf),
    customer: fc.record({ id: int64.filter((value) => value > 0n).map(jsonOf) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
)

/** As Java and JSON write a float. */
function shortest(value: number): number {
  const digits = [6, 7, 8].find((count) => Math.fround(Number(value.toPrecision(count))) === value)
  return digits === undefined ? value : Number(value.toPrecision(digits))
}

export function messageOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('It was accepted')
}
