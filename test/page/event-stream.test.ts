import { expect, test } from 'bun:test'
import { EventStreamParser } from '../../lib/page/event-stream.ts'

const stream = 'retry: 2000\n\nevent: put\ndata: {"key":"a: b"}\nid: 1\n\n:\n\nid: 2\n\nevent: status\ndata: {}\n\n'
const events = [
  { type: 'put', data: '{"key":"a: b"}' },
  { type: 'status', data: '{}' },
]

test('events are those with data, wherever the stream is cut', () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    const parser = new EventStreamParser()
    expect([...parser.push(stream.slice(0, cut)), ...parser.push(stream.slice(cut))]).toEqual(events)
  }
})

test('an event that has no end ends the stream', () => {
  const parser = new EventStreamParser()
  expect(() => {
    for (let piece = 0; piece < 65; piece++) parser.push('x'.repeat(1024 * 1024))
  }).toThrow('too long')
})
