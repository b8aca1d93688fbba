/** `GET /status-store/<id>/events`: the status of a store as server-sent events, once a second. */
import { LatchkeyError } from '../../errors.ts'
import { negotiate } from '../accept.ts'
import type { RequestHead } from '../request-head.ts'
import { noSniff } from '../responses.ts'
import { emptyBody, StreamAnswer } from '../stream-answer.ts'
import type { StatusEvents } from './status-events.ts'

const mediaType = 'text/event-stream'

/** @throws LatchkeyError not_acceptable, waits_exhausted */
export function statusStream(
  events: StatusEvents,
  { method, headers }: Pick<RequestHead, 'method' | 'headers'>,
): StreamAnswer {
  if (negotiate(headers.get('accept'), [[mediaType, mediaType]]) === undefined) throw notAcceptable()
  return new StreamAnswer(method === 'HEAD' ? emptyBody : events.open(), {
    'Content-Type': `${mediaType}; charset=utf-8`,
    'Cache-Control': 'no-store',
    // Proxies that buffer answers would hold back events; nginx reads this.
    'X-Accel-Buffering': 'no',
    Vary: 'Accept',
    ...noSniff,
  })
}

function notAcceptable(): LatchkeyError {
  const found = `there is no representation that the Accept header allows; there is ${mediaType}`
  const message = `Following the status: ${found}`
  return new LatchkeyError('not_acceptable', message, { details: { acceptable: [mediaType] } })
}
