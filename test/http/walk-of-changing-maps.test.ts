/**
 * Walks by pages while every key is overwritten, and a tenth is deleted or added: maps grow and are cleaned meanwhile.
 * LATCHKEY_WALKS and LATCHKEY_WALK_ENTRIES ask for more.
 */
import { expect, test } from 'bun:test'
import { createRequestHandler } from '../../lib/http/handler.ts'
import { listen } from '../../lib/server/listen.ts'
import { putEntry } from '../support/map/map-pair.ts'
import { Random } from '../support/random.ts'
import { openMapStore } from '../support/store/map-store.ts'

const partitions = 4
const walks = Number(process.env['LATCHKEY_WALKS'] ?? 4)
const entries = Number(process.env['LATCHKEY_WALK_ENTRIES'] ?? 5_000)
const timeoutMs = 4 * 3_600_000

interface Page {
  readonly entries: readonly { readonly key: string }[]
  readonly next?: string
}

test(
  'an entry that stays comes exactly once, and none comes twice',
  async () => {
    const random = Random.of('walk of changing maps')
    const maps = await openMapStore(partitions, [{ primaries: [0, 2] }, { primaries: [1, 3] }])
    const server = listen(createRequestHandler(maps.store), { bind: '127.0.0.1', port: 0 })
    await using _ = {
      async [Symbol.asyncDispose]() {
        await server.stop(0)
        await maps.store.close()
      },
    }
    const present = new Set<number>()
    /** Of this walk: keys that were deleted, or added. */
    const moved = new Set<number>()
    let offset = 0
    let added = 0
    // Without a changelog, which would keep every record.
    const write = (number: number, value: string | null) => {
      const partition = number % partitions
      putEntry(maps.threads[partition % 2]!.map, partition, `key ${number}`, value, offset++)
    }
    const put = (number: number) => {
      present.add(number)
      write(number, `value ${offset}`)
    }
    const remove = (number: number) => {
      present.delete(number)
      moved.add(number)
      write(number, null)
    }
    const add = () => {
      moved.add(added)
      put(added++)
    }
    for (let count = entries; count > 0; count--) add()
    await maps.publish()
    const limit = Math.min(1_000, Math.ceil(entries / 20))
    let [pages, found] = [0, 0]
    for (let walk = 0; walk < walks; walk++) {
      moved.clear()
      const seed = `LATCHKEY_SEED=${random.seed} in walk ${walk}`
      const seen = new Set<number>()
      const twice: string[] = []
      const order = [...present]
      let written = 0
      for (let path: string | undefined = `/stores/orders?limit=${limit}`; path !== undefined; pages++) {
        const page = (await (await fetch(`${server.url}${path}`)).json()) as Page
        for (const { key } of page.entries) {
          const number = Number(key.slice(4))
          if (seen.has(number)) twice.push(key)
          seen.add(number)
        }
        path = page.next
        // A little more than a page, so that every key is overwritten within the walk.
        for (const end = written + limit + limit / 4; written < Math.min(end, order.length); written++) {
          const number = order[written]!
          if (random.below(10) > 0) put(number)
          else {
            remove(number)
            add()
          }
        }
        await maps.publish()
      }
      expect(written, seed).toBe(order.length)
      const lost = order.filter((number) => !moved.has(number) && !seen.has(number))
      expect({ lost, twice }, seed).toEqual({ lost: [], twice: [] })
      found += seen.size
      // Maps grow, too.
      for (let count = walk < 10 ? entries / 10 : 0; count > 0; count--) add()
      await maps.publish()
    }
    console.log(
      `${walks} walks: ${pages} pages, ${found} entries, ${offset} writes meanwhile, ${present.size} at the end`,
    )
  },
  timeoutMs,
)
