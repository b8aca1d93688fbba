// Counts the updates of each key.
import { defineStore, json } from 'latchkey'

interface User {
  id: number
  updates?: number
}

export default defineStore({
  key: 'utf8',
  input: json<User>(),
  onNew(_key, user) {
    user.updates = 0
  },
  onUpdate(_key, old, user) {
    user.updates = (old.updates ?? 0) + 1
  },
})
