/** The fast path, as the listener uses it. */
export { FastPath, type FastPathOptions } from './fast-path.ts'
