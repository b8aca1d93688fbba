/** A sum for each key, of what the source brings. */
import * as v from 'valibot'
import { defineStore } from '../../../lib/index.ts'

// oxlint-disable-next-line import/no-default-export -- what a store's definition has to be
export default defineStore({
  key: 'utf8',
  input: v.object({ sum: v.number() }),
  onUpdate: (_key, old, added) => ({ sum: old.sum + added.sum }),
})
