// Keeps three fields of a record, each of which has been checked.
import { defineStore } from 'latchkey'
import * as v from 'valibot'

export default defineStore({ key: 'utf8', input: v.object({ id: v.number(), name: v.string(), city: v.string() }) })
