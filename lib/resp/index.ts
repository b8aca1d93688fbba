/** The Redis protocol, as a server of it uses it. */
export { commandLabels } from './commands/index.ts'
export { RespContext, type RespContextOptions } from './resp-context.ts'
export type { PushFault } from './push/push-queue.ts'
export type { ReplyOutput } from './reply-writer.ts'
export { Session } from './session.ts'
export type { RespStore } from './store-view.ts'
export { pendingBytesMax } from './limits.ts'
