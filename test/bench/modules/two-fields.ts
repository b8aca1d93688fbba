// Keeps two fields of a record, and believes what it reads.
import { defineStore, json } from 'latchkey'

interface User {
  name: string
  city: string
}

export default defineStore({
  key: 'utf8',
  input: json<User>(),
  value: json<User>(),
  convert: ({ name, city }) => ({ name, city }),
})
