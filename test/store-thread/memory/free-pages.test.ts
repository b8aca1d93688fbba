/** Memory of a partition that has left goes back to the system. */
import { expect, test } from 'bun:test'
import type { ChiralMap } from '../../../lib/map/index.ts'
import { FreePages } from '../../../lib/store-thread/memory/free-pages.ts'

test('the memory of a partition that has left is not resident any more, beyond what is kept', async () => {
  const script = new URL('../../support/store-thread/leaving-partition.ts', import.meta.url).pathname
  const child = Bun.spawn([process.execPath, script], { stdout: 'pipe', stderr: 'inherit' })
  const { filled, left } = JSON.parse(await new Response(child.stdout).text()) as { filled: number; left: number }
  // 200 MB less the 8 MiB that stay at least.
  expect(filled - left).toBeGreaterThan(160e6)
})

test('memory is given back in slices, until none is left to give', async () => {
  const slices = [3, 2, 0]
  const done = Promise.withResolvers<void>()
  const kept: (number | undefined)[] = []
  let usedBytes = 0
  const releaseFree = (_: unknown, bounds?: { keptBytes?: number }) => {
    kept.push(bounds?.keptBytes)
    usedBytes += 100 << 20
    const bytes = slices.shift()!
    if (bytes === 0) done.resolve()
    return bytes
  }
  const map = {
    releaseFree,
    get memory() {
      return { usedBytes } as ChiralMap['memory']
    },
  }
  const pages = new FreePages(map)
  pages.giveBack()
  pages.giveBack()
  await done.promise
  await new Promise(setImmediate)
  expect(slices).toEqual([])
  // A quarter of what is used, within bounds.
  expect(kept).toEqual([8 << 20, 25 << 20, 50 << 20])
})

test('what was kept is given back when no other partition has left for a while', async () => {
  const done = Promise.withResolvers<void>()
  const kept: (number | undefined)[] = []
  const map = {
    releaseFree(_: unknown, bounds?: { keptBytes?: number }) {
      kept.push(bounds?.keptBytes)
      if (kept.length === 2) done.resolve()
      return 0
    },
    memory: { usedBytes: 100 << 20 } as ChiralMap['memory'],
  }
  new FreePages(map, undefined, 1).giveBack()
  await done.promise
  expect(kept).toEqual([25 << 20, 8 << 20])
})
