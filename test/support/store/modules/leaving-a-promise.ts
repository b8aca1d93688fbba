import { defineStore } from '../../../../lib/definition/index.ts'

export default defineStore({
  key: 'utf8',
  input: 'utf8',
  convert(value) {
    void Promise.reject(new Error('unhandled rejection of a test'))
    return value
  },
})
