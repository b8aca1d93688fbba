/** What a store's keys and values are: made of settings, or by a store module. */
export { defineStore } from './define-store.ts'
export { type Definition, skip, type SourceRecord } from './definition.ts'
export { definitionOf, loadDefinition } from './load.ts'
export { definitionOfFormats } from './of-formats.ts'
