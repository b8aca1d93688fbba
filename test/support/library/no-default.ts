/** A definition that is exported by a name only. */
import { defineStore } from '../../../lib/index.ts'

export const definition = defineStore({ key: 'utf8', input: 'utf8' })
