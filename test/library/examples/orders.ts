/** What the orders store holds. A separate module, because the store thread loads it, too. */
import * as v from 'valibot'
import { defineStore } from '../../../lib/index.ts'

const order = v.object({ status: v.string(), cents: v.number() })

export default defineStore({ key: 'utf8', input: order })
