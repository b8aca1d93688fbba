/** Worker: checks that what is published is found, and nothing older. */
import { checkReads } from './check-reads.ts'
import { deletedEvery } from './history.ts'

checkReads(({ required }) => {
  let published = 0
  const isDeleted = (key: number) => key % deletedEvery === 4
  return {
    before(key) {
      published = Atomics.load(required, key)
    },
    missed(key) {
      if (published > 0 && !isDeleted(key)) throw new Error(`lost: key ${key}, sequence ${published} is published`)
    },
    found(key, sequence) {
      if (sequence < published && !isDeleted(key)) {
        throw new Error(`late: key ${key}, sequence ${sequence}, but ${published} is published`)
      }
    },
  }
})
