// Three fields of a big record. A schema checks what it names and leaves out the rest; a record without them is a bad record.
import { defineStore } from 'latchkey'
import * as v from 'valibot'

export default defineStore({
  key: 'utf8',
  input: v.object({
    id: v.string(),
    status: v.picklist(['placed', 'paid', 'packed', 'shipped', 'delivered']),
    total: v.pipe(v.number(), v.minValue(0)),
  }),
})
