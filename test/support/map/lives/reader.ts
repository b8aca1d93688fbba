/**
 * Worker: reads keys while their partitions come and go. A key of a partition that is there throughout is found; a value of a
 * life that had ended before the read is not.
 */
import { checkReads } from '../concurrency/check-reads.ts'

const partitions = 3

checkReads(({ present, ended }) => {
  let life = 0
  let gone = 0
  return {
    before(key) {
      life = Atomics.load(present, key % partitions)
      gone = Atomics.load(ended, key % partitions)
    },
    missed(key) {
      const partition = key % partitions
      if (life === 0 || Atomics.load(present, partition) !== life) return
      throw new Error(`lost: key ${key}, although partition ${partition} is there, life ${life}`)
    },
    found(key, sequence) {
      if (sequence <= gone) throw new Error(`removed: key ${key}, ${sequence}; ${gone} and before have left`)
    },
  }
})
