/**
 * Changes as bytes: events of a stream of server-sent events, or lines of JSON. A change that several clients get is
 * rendered once.
 */
import type { Presentation } from '../../definition/presentation.ts'
import { type ChangeId, formatChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, ChangeEvent } from '../../store-protocol/following.ts'
import { writeOrigin } from '../entry-json.ts'
import { retry } from '../event-stream.ts'
import { type JsonBuffer, written } from '../json-buffer.ts'
import { type KeyOptions, writeKey, writeShownValue } from '../walk-entry.ts'
import { type FeedForm, startId } from './feed-options.ts'
import { RenderedValues } from './rendered-values.ts'

export interface FeedShape {
  readonly form: FeedForm
  readonly withValues: boolean
  readonly textPrefix: Uint8Array | undefined
}

const reset = { sse: `event: reset\ndata: {}\nid: ${startId}\n\n`, ndjson: `{"type":"reset","id":"${startId}"}\n` }
/** A comment, and a line that says nothing: for a stream that would be silent. */
const alive = { sse: ':\n\n', ndjson: '{"type":"place"}\n' }

export class FeedEncoder {
  readonly #presentation: Presentation
  readonly #shape: FeedShape
  /** Number of clients. */
  clients = 0
  readonly #rendered = new RenderedValues()
  #place: ChangeId | undefined
  #placeText = ''

  constructor(presentation: Presentation, shape: FeedShape) {
    this.#presentation = presentation
    this.#shape = shape
  }

  /** Returns what a stream begins with. @param place undefined if it begins with a listing, or behind */
  begin(place: ChangeId | undefined): Uint8Array<ArrayBuffer> {
    return written((to) => {
      if (this.#shape.form === 'sse') to.ascii(retry)
      if (place !== undefined) this.#writePlace(to, place)
      else if (this.#shape.form === 'sse') to.ascii('\n')
    })
  }

  /** Returns what keeps a stream from being silent. @param place undefined if the client is behind */
  beat(place: ChangeId | undefined): Uint8Array<ArrayBuffer> {
    return written((to) => {
      if (place === undefined) to.ascii(alive[this.#shape.form])
      else this.#writePlace(to, place)
    })
  }

  /**
   * Returns the bytes of a batch, perhaps none.
   * @param waits false: nothing waits for a schema
   * @returns a promise if a schema is missing: it settles when another call is worth it
   */
  batch({ events, place }: ChangeBatch, waits: boolean): Uint8Array<ArrayBuffer> | Promise<unknown> {
    let pending: Promise<unknown> | undefined
    const bytes = written((to) => {
      const isSse = this.#shape.form === 'sse'
      let isOpen = false
      for (const event of events) {
        if (event.type === 'reset') {
          if (isOpen) to.ascii('\n')
          isOpen = false
          to.ascii(reset[this.#shape.form])
          continue
        }
        const before = to.length
        if (isOpen) to.ascii('\n')
        const isWritten = this.#write(to, event, waits)
        if (isWritten instanceof Promise) {
          pending = isWritten
          return
        }
        if (isWritten) isOpen = isSse
        else to.truncate(before)
      }
      // An event of a stream ends with an empty line, which is left out until it is known whether an id comes before it.
      if (place !== undefined && place !== startId) this.#writePlace(to, place)
      else if (isOpen) to.ascii('\n')
    })
    return pending ?? bytes
  }

  /** Writes a change: its event without the empty line at the end, or its line. @returns false if it is left out */
  #write(to: JsonBuffer, event: ChangeEvent, waits: boolean): boolean | Promise<unknown> {
    const value = event.type === 'put' && event.entry.value.length > 0 ? event.entry.value : undefined
    const known = value && this.#rendered.of(value)
    if (known !== undefined) {
      to.bytes(known)
      return known.length > 0
    }
    const before = to.length
    const isWritten = this.#render(to, event, { textPrefix: this.#shape.textPrefix, waits })
    if (isWritten instanceof Promise) return isWritten
    if (!isWritten) to.truncate(before)
    if (value !== undefined && this.clients > 1) this.#rendered.add(value, to.copy(before))
    return isWritten
  }

  #render(to: JsonBuffer, event: ChangeEvent, options: KeyOptions): boolean | Promise<unknown> {
    if (event.type === 'reset') return false
    const { form, withValues } = this.#shape
    to.ascii(form === 'sse' ? `event: ${event.type}\ndata: {` : `{"type":"${event.type}",`)
    if (event.type === 'status') {
      to.ascii(`"partition":${event.partition},"state":"${event.state}"}\n`)
      return true
    }
    to.ascii('"key":')
    const isWritten = writeKey(to, this.#presentation, event.type === 'put' ? event.entry.key : event.key, options)
    if (isWritten !== true) return isWritten
    if (event.type === 'delete') {
      to.ascii(`,"partition":${event.partition},"offset":${event.offset < 0 ? null : event.offset}`)
    } else {
      const pending = withValues ? writeShownValue(to, this.#presentation, event.entry, options.waits) : undefined
      if (pending !== undefined) return pending
      writeOrigin(to, event.entry)
      // An entry of a listing without values has an empty one.
      if (!withValues && event.entry.value.length > 0) to.ascii(`,"bytes":${event.entry.value.length}`)
    }
    to.ascii('}\n')
    return true
  }

  #writePlace(to: JsonBuffer, place: ChangeId): void {
    if (place !== this.#place) {
      this.#place = place
      this.#placeText = formatChangeId(place)
    }
    to.text(this.#shape.form === 'sse' ? `id: ${this.#placeText}\n\n` : `{"type":"place","id":"${this.#placeText}"}\n`)
  }
}
