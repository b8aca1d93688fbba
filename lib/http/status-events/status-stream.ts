/** `GET /status-store/<id>/events`: the status of a store as server-sent events, once a second. */
import { accepted } from '../accept.ts'
import { streamHeaders } from '../event-stream.ts'
import type { RequestHead } from '../request-head.ts'
import { emptyBody, StreamAnswer } from '../stream-answer.ts'
import type { StatusEvents } from './status-events.ts'

const mediaType = 'text/event-stream'

/** @throws LatchkeyError not_acceptable, waits_exhausted */
export function statusStream(
  events: StatusEvents,
  { method, headers }: Pick<RequestHead, 'method' | 'headers'>,
): StreamAnswer {
  accepted(headers.get('accept'), [[mediaType, mediaType]], 'Following the status')
  return new StreamAnswer(method === 'HEAD' ? emptyBody : events.open(), streamHeaders(`${mediaType}; charset=utf-8`))
}
