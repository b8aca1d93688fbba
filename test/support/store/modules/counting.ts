/** A store module: what a key has and how many records have updated it since it was new, out of records `{ n }`. */
import { defineStore, skip } from '../../../../lib/definition/index.ts'

interface Input {
  n: number
  /** What convert is to do instead. */
  as?: 'skip' | 'null' | 'throw'
}

export interface Counted {
  n: number
  updates: number
}

// oxlint-disable-next-line import/no-default-export -- that is what a store module has
export default defineStore({
  key: 'utf8',
  input: 'json',
  value: 'json',
  convert(input, { key }) {
    const { n, as } = input as unknown as Input
    if (as === 'skip') return skip
    if (as === 'throw') throw new Error(`no order under ${key}`)
    return as === 'null' ? null : { n, updates: 0 }
  },
  onUpdate(_key, old, value) {
    return { ...(value as object), updates: (old as unknown as Counted).updates + 1 }
  },
})
