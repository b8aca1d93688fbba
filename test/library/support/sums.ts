/** A sum for each key, of what the source brings. */
import { defineStore } from '../../../lib/index.ts'
import * as v from 'valibot'

// oxlint-disable-next-line import/no-default-export -- what a store's definition has to be
export default defineStore({
  key: 'utf8',
  input: v.object({ sum: v.number() }),
  onUpdate: (_key, old, added) => ({ sum: old.sum + added.sum }),
})
