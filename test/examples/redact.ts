// Personal data goes no further: neither into memory nor into the changelog.
import { defineStore, skip } from 'latchkey'
import * as v from 'valibot'

const customer = v.looseObject({
  email: v.string(),
  phone: v.optional(v.string()),
  state: v.picklist(['active', 'forgotten', 'test']),
})

export default defineStore({
  key: 'utf8',
  input: customer,
  value: 'json',
  convert({ email, phone: _phone, ...rest }) {
    if (rest.state === 'test') return skip // as if the record were not there
    if (rest.state === 'forgotten') return null // deletes the key
    return { ...rest, email: email.replace(/^.*@/, '…@') }
  },
})
