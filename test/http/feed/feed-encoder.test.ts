/** Changes as bytes: rendered once for all clients, each on one line. */
import { describe, expect, test } from 'bun:test'
import { type Presentation, presentationOf } from '../../../lib/definition/presentation.ts'
import { FeedEncoder } from '../../../lib/http/feed/feed-encoder.ts'
import type { FeedForm } from '../../../lib/http/feed/feed-options.ts'
import type { ChangeEvent } from '../../../lib/store-protocol/following.ts'
import { EventStream } from '../../support/http/event-stream.ts'
import { Random } from '../../support/random.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const place = { topicId: 'topic', time: 1, positions: new Map([[0, 9]]) }

function put(key: string, value: Uint8Array): ChangeEvent {
  return { type: 'put', entry: { key: utf8(key), value, partition: 0, offset: 1, timestamp: 1 } }
}

/** Counts the values that are rendered. */
function counting(): { presentation: Presentation; rendered: { count: number } } {
  const rendered = { count: 0 }
  const render = () => {
    rendered.count++
    return '{"n":1}'
  }
  return { presentation: { ...presentationOf(undefined), hasRawValues: false, render }, rendered }
}

function textOf(encoder: FeedEncoder, events: readonly ChangeEvent[], at: typeof place | 'none' = place): string {
  const bytes = encoder.batch({ events, place: at === 'none' ? undefined : at }, false)
  if (bytes instanceof Promise) throw new Error('It waits')
  return new TextDecoder().decode(bytes)
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

describe.each(['sse', 'ndjson'] as const)('as %s', (form: FeedForm) => {
  test('a value that 1,000 clients get is rendered once', () => {
    const { presentation, rendered } = counting()
    const encoder = new FeedEncoder(presentation, { form, withValues: true, textPrefix: undefined })
    encoder.clients = 1_000
    const value = utf8('1')
    // Each follower has an event of its own, of the same value.
    const texts = Array.from({ length: 1_000 }, () => textOf(encoder, [put('a', value)]))
    expect(new Set(texts).size).toBe(1)
    expect(rendered.count).toBe(1)
    textOf(encoder, [put('a', utf8('2'))])
    expect(rendered.count).toBe(2)
  })

  test('what does not begin with the prefix is left out, also for the second client', () => {
    const encoder = new FeedEncoder(presentationOf(undefined), { form, withValues: true, textPrefix: utf8('a') })
    encoder.clients = 2
    const events = [
      put('a1', utf8('1')),
      put('b1', utf8('1')),
      { type: 'delete', key: utf8('b2'), partition: 0, offset: 1 } as const,
    ]
    for (let client = 0; client < 2; client++) {
      const text = textOf(encoder, events)
      expect(text.match(/"key":"\w+"/g)).toEqual(['"key":"a1"'])
      expect(text).toEndWith(form === 'sse' ? 'id: 1~topic~1~0.9\n\n' : '{"type":"place","id":"1~topic~1~0.9"}\n')
    }
    expect(textOf(encoder, events.slice(1), 'none')).toBe('')
  })
})

test('no bytes of a key or value can end an event', () => {
  const random = Random.of('feed encoder')
  const encoder = new FeedEncoder(presentationOf(undefined), { form: 'sse', withValues: true, textPrefix: undefined })
  const parts = [
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    'id: x',
    'data: {}',
    'event: reset',
    ':',
    '\0',
    '\u2028',
    '"',
    '\\',
    'ä',
    '{',
    '1',
  ]
  const textFrom = () => Array.from({ length: random.below(6) }, () => random.pick(parts)).join('')
  for (let round = 0; round < 2_000; round++) {
    const given = Array.from({ length: 3 }, () => {
      const value = textFrom()
      const stored = random.below(2) === 0 ? value : JSON.stringify({ value }, null, random.pick(['', '\n', '\r']))
      return { key: textFrom(), stored: utf8(stored) }
    })
    const stream = new EventStream()
    stream.add(
      textOf(
        encoder,
        given.map(({ key, stored }) => put(key, stored)),
      ).replaceAll('\r', '\n'),
    )
    expect(stream.lastEventId).toBe('1~topic~1~0.9')
    const found: unknown[] = stream.events.map(({ type, data }) => {
      const change = JSON.parse(data) as { key: string; value?: unknown; valueBase64?: string }
      const { key, value, valueBase64 } = change
      return { type, key, value: value === undefined ? Buffer.from(valueBase64!, 'base64').toString() : value }
    })
    const wanted = given.map(({ key, stored }) => {
      return { type: 'put', key, value: parsedOr(new TextDecoder().decode(stored)) }
    })
    expect(found).toEqual(wanted)
  }
})
