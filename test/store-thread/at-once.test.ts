import { expect, test } from 'bun:test'
import { atOnce } from '../../lib/store-thread/at-once.ts'
import { until } from '../support/until.ts'

function work() {
  const begun: number[] = []
  const ends = new Map<number, PromiseWithResolvers<void>>()
  const run = (item: number) => {
    begun.push(item)
    const end = Promise.withResolvers<void>()
    ends.set(item, end)
    return end.promise
  }
  return {
    begun,
    run,
    end: (item: number) => ends.get(item)!.resolve(),
    fail: (item: number) => ends.get(item)!.reject(new Error(`${item}`)),
  }
}

test('work runs for each item, and for no more than the limit at a time', async () => {
  const { begun, run, end } = work()
  const done = atOnce(2, [1, 2, 3, 4], run)
  expect(begun).toEqual([1, 2])
  end(2)
  await until('the next item began', () => begun.length === 3)
  end(1)
  end(3)
  await until('the last item began', () => begun.length === 4)
  end(4)
  await done
  await atOnce(2, [], run)
  expect(begun).toEqual([1, 2, 3, 4])
})

test('after a failure no further item begins', async () => {
  const { begun, run, end, fail } = work()
  const done = atOnce(2, [1, 2, 3, 4], run).catch((error: unknown) => error)
  fail(1)
  expect(await done).toEqual(new Error('1'))
  end(2)
  await Promise.resolve()
  expect(begun).toEqual([1, 2])
})
