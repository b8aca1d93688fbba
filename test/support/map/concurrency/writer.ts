/** Worker: puts and publishes as fast as it can. */
import { deletedEvery, keyCount, keyOf, writeValue } from './history.ts'
import { goesOn, partitions, writeWhileRead } from './write-while-read.ts'

writeWhileRead(partitions, async (map, start, random) => {
  const { shared, defect } = start
  for (const partition of partitions) map.open(partition)
  await map.publish()

  const keys = Array.from({ length: keyCount }, (_, number) => keyOf(number))
  const source = Buffer.alloc(300_000)
  const sequences = new Int32Array(keyCount)
  const touched = new Set<number>()
  let extra = 0
  for (let publish = 0; goesOn(start, publish); publish++) {
    const operations = 1 + random(random(10) === 0 ? 1000 : 60)
    for (let i = 0; i < operations; i++) {
      const number = random(3) === 0 ? random(6) : random(keyCount)
      const key = keys[number]!
      source.set(key)
      const deleted = number % deletedEvery === 4 && random(3) === 0
      if (!deleted) Atomics.store(shared.put, number, ++sequences[number]!)
      const length = deleted ? -1 : writeValue(source, key.length, number, sequences[number]!)
      map.put(number % 3, source, 0, key.length, key.length, length, sequences[number]!, -1)
      touched.add(number)
    }
    // Further keys, so that tables and slabs keep growing.
    source.write(`extra ${extra++}`)
    map.put(extra % 3, source, 0, 6 + `${extra - 1}`.length, 0, 8, -1, -1)
    const raise = () => {
      for (const number of touched) Atomics.store(shared.required, number, sequences[number]!)
    }
    if (defect === 'promises early') raise()
    await map.publish()
    raise()
    touched.clear()
  }
})
