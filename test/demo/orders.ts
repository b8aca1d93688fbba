/** One record for the source topic; a value of null deletes the order. */
export interface OrderRecord {
  key: string
  value: string | null
  timestamp: string
}

interface Order {
  id: string
  channel: string
  status: string
  customer: string
  items: { product: string; quantity: number; price: number }[]
  total: number
  currency: string
  updatedAt: string
}

const statuses = ['placed', 'paid', 'packed', 'shipped', 'delivered']
const cancelledShare = 0.04
const firstNames = ['Ada', 'Blaise', 'Chen', 'Dorothy', 'Edsger', 'Fatima', 'Grace', 'Hedy', 'Ivan', 'Joan']
const lastNames = ['Almeida', 'Brandt', 'Costa', 'Diallo', 'Eriksen', 'Fischer', 'Garcia', 'Hansen', 'Ito', 'Jansen']
const products: [string, number][] = [
  ['Padlock, brass, 40 mm', 12.5],
  ['Door latch, steel', 23.9],
  ['Key blank, universal', 1.8],
  ['Cylinder, five pins', 34],
  ['Hinge, pair', 8.75],
  ['Letter box, green', 59.95],
]

/** Orders of a shop on their way from placed to delivered, the same on every run but for the time. */
export class OrderBook {
  /** The value that a lookup of each key should find. */
  readonly latest = new Map<string, string>()
  /** Keys that were deleted. */
  readonly cancelled: string[] = []
  readonly #open: { key: string; order: Order }[] = []
  readonly #random = randomNumbers(1)
  #placed = 0

  place(): OrderRecord {
    const number = 10_001 + this.#placed++
    // Three channels, each with another form of keys: plain, with a slash, with spaces.
    const channel = ['web', 'marketplace', 'shop'][number % 3]!
    const key = { web: `${number}`, marketplace: `marketplace/${number}`, shop: `shop Lisbon ${number}` }[channel]!
    const items = Array.from({ length: 1 + Math.floor(this.#random() * 3) }, () => {
      const [product, price] = this.#oneOf(products)
      return { product, quantity: 1 + Math.floor(this.#random() * 4), price }
    })
    const total = Number(items.reduce((sum, { quantity, price }) => sum + quantity * price, 0).toFixed(2))
    const customer = `${this.#oneOf(firstNames)} ${this.#oneOf(lastNames)}`
    const order = { id: key, channel, status: statuses[0]!, customer, items, total, currency: 'EUR', updatedAt: '' }
    this.#open.push({ key, order })
    return this.#record(key, order)
  }

  /** The next step of some order that is not delivered yet, or its cancellation; places one where there is none. */
  advance(): OrderRecord {
    const index = Math.floor(this.#random() * this.#open.length)
    const found = this.#open[index]
    if (!found) return this.place()
    const { key, order } = found
    const isCancelled = this.#random() < cancelledShare
    order.status = statuses[statuses.indexOf(order.status) + 1]!
    if (isCancelled || order.status === statuses.at(-1)) this.#open.splice(index, 1)
    if (!isCancelled) return this.#record(key, order)
    this.latest.delete(key)
    this.cancelled.push(key)
    return { key, value: null, timestamp: String(Date.now()) }
  }

  /** Keys of a channel whose order will not change any more. */
  delivered(channel: string): string[] {
    return [...this.latest]
      .map(([key, value]) => ({ key, order: JSON.parse(value) as Order }))
      .filter(({ order }) => order.channel === channel && order.status === statuses.at(-1))
      .map(({ key }) => key)
  }

  #record(key: string, order: Order): OrderRecord {
    const now = Date.now()
    order.updatedAt = new Date(now).toISOString()
    const value = JSON.stringify(order)
    this.latest.set(key, value)
    return { key, value, timestamp: String(now) }
  }

  #oneOf<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!
  }
}

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
