/** Access of the main thread to the group thread. */
import { startGroupThread } from '../group/start.ts'
import { passedOn } from '../log/index.ts'
import type { FromGroupThread, GroupConfig, ToGroupThread } from '../store-protocol/group-messages.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'

export interface GroupPort {
  post: (message: ToGroupThread) => void
  terminate: () => void
}

export interface GroupPortEvents {
  received: (message: FromGroupThread) => void
  /** The thread has ended. */
  ended: (message: string) => void
}

export function openGroupPort(config: GroupConfig, logging: StoreLogging, events: GroupPortEvents): GroupPort {
  const worker = startGroupThread()
  worker.onmessage = ({ data }: MessageEvent<FromGroupThread>) => {
    if (data.type === 'log') passedOn(data.record)
    else events.received(data)
  }
  worker.onerror = ({ message }) => events.ended(message)
  worker.addEventListener('close', () => events.ended('it said nothing'))
  const post = (message: ToGroupThread) => worker.postMessage(message)
  post({ type: 'start', config, logging })
  return { post, terminate: () => worker.terminate() }
}
