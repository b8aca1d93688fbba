/** Worker: adds, fills, overwrites and removes partitions as fast as it can, over little memory. */
import { keyCount, keyOf, writeValue } from '../concurrency/history.ts'
import { goesOn, partitions, writeWhileRead } from '../concurrency/write-while-read.ts'

/** Always there, so that a removal has other partitions to reuse the memory. */
const staying = 0

writeWhileRead([], async (map, start, random) => {
  const { shared } = start
  const source = Buffer.alloc(300_000)
  let sequence = 0
  let life = 0

  function put(number: number): void {
    const key = keyOf(number)
    source.set(key)
    Atomics.store(shared.put, number, ++sequence)
    const length = writeValue(source, key.length, number, sequence)
    map.put(number % 3, source, 0, key.length, key.length, length, sequence, -1)
  }

  for (let publish = 0; goesOn(start, publish); publish++) {
    for (const partition of partitions) {
      if (!map.holds(partition)) {
        map.add(partition)
        for (let number = partition; number < keyCount; number += 3) put(number)
        map.open(partition)
      } else if (partition !== staying && random(3) === 0) {
        Atomics.store(shared.present, partition, 0)
        for (let i = random(20); i > 0; i--) put(partition + 3 * random(100))
        map.remove(partition)
      } else {
        for (let i = random(40); i > 0; i--) put(partition + 3 * random(100))
      }
    }
    await map.publish()
    for (const partition of partitions) {
      if (!map.holds(partition)) Atomics.store(shared.ended, partition, sequence)
      else if (Atomics.load(shared.present, partition) === 0) Atomics.store(shared.present, partition, ++life)
    }
  }
})
