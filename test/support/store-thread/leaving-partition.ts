/** Process: fills a partition of a map, removes it, gives its memory back, and prints the resident bytes before and after. */
import { ChiralMap } from '../../../lib/map/index.ts'
import { FreePages } from '../../../lib/store-thread/memory/free-pages.ts'
import { until } from '../until.ts'

const map: ChiralMap = new ChiralMap({
  partitions: [0],
  partitionCount: 1,
  initialCapacity: 0,
  readersMax: 1,
  readerThreads: 1,
  announce: ({ version }) => map.confirmed(0, version),
})
const value = Buffer.alloc(100_000, 'x')
const key = Buffer.alloc(8)
for (let i = 0; i < 2_000; i++) {
  key.writeInt32LE(i)
  map.put(0, Buffer.concat([key, value]), 0, key.length, key.length, value.length, i, -1)
}
map.open(0)
await map.publish()
const filled = process.memoryUsage.rss()
map.remove(0)
await map.publish()
new FreePages(map).giveBack()
await until('it is given back', () => map.memory.freeBytes <= 8 << 20)
console.log(JSON.stringify({ filled, left: process.memoryUsage.rss() }))
