/**
 * Entry point of the group thread: a worker that has nothing to do but the membership. Neither a busy ingest nor a main
 * thread that an embedding program blocks then costs a heartbeat.
 */
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import { changeLogLevel, configureLogging, passOnLog, writePending } from '../log/index.ts'
import type { FromGroupThread, ToGroupThread } from '../store-protocol/group-messages.ts'
import { GroupInstance } from './group-instance.ts'

declare const self: Worker

let instance: GroupInstance | undefined

function post(message: FromGroupThread): void {
  self.postMessage(message)
}

function failed(error: unknown): void {
  const code = isInstance(error, LatchkeyError) ? error.code : 'internal'
  post({ type: 'failed', error: { code, message: messageOf(error) } })
}

function start({ config, logging }: ToGroupThread & { type: 'start' }): void {
  if (logging.isPassedOn) passOnLog(logging.level, (record) => post({ type: 'log', record }))
  else configureLogging(logging)
  instance = new GroupInstance(config, { post, failed })
}

async function leave(handoverSeconds: number): Promise<void> {
  await instance?.leave(handoverSeconds)
  writePending()
  post({ type: 'left' })
}

self.onmessage = ({ data }: MessageEvent<ToGroupThread>) => {
  switch (data.type) {
    case 'start':
      start(data)
      break
    case 'store':
      instance?.addStoreThread(data.layout, data.stats, data.partitionCount)
      break
    case 'reachable':
      instance?.setReachable(data.isReachable)
      break
    case 'reached':
      instance?.expulsions.reached(data.memberId, data.url)
      break
    case 'suspect':
      instance?.expulsions.suspect(data.memberId).catch(failed)
      break
    case 'agreed':
      instance?.renewals.agreed(data.generation)
      break
    case 'leave':
      void leave(data.handoverSeconds)
      break
    case 'token':
      instance?.replaceToken(data.token)
      break
    case 'log-level':
      changeLogLevel(data.level)
      break
  }
}
