/** What the keys and values of a store are: made from settings, or by a store module. */
export * from './module-exports.ts'
export { checkRegistries } from '../format/index.ts'
export { isCompiled } from './built-ins.ts'
export { describeDefinition } from './describe.ts'
export { definitionOf, loadDefinition } from './load.ts'
export { definitionOfFormats } from './of-formats.ts'
export { refusePromise } from './synchronous.ts'
export { describeThrown } from './thrown.ts'
