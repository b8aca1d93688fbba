import { expect, test } from 'bun:test'
import { ReplyWriter } from '../../lib/resp/reply-writer.ts'
import { command } from '../support/resp/replies.ts'
import { Talk } from '../support/resp/talk.ts'

class Output {
  bytes = 0
  isClosed = false
  sent = ''

  sendFrom(page: Uint8Array, length: number): void {
    this.sent += Buffer.from(page.subarray(0, length)).toString('latin1')
  }

  sendOwn(bytes: Uint8Array): void {
    this.sent += Buffer.from(bytes).toString('latin1')
  }
}

test('replies that two clients write by turns do not mix', () => {
  const [first, second] = [new Output(), new Output()]
  const [one, other] = [new ReplyWriter(first), new ReplyWriter(second)]
  for (let index = 0; index < 3; index++) {
    one.text(`one ${index}`)
    other.integer(index)
    other.bulk(new Uint8Array(Buffer.alloc(20_000, `${index}`)))
    one.simple('OK')
  }
  other.flush()
  one.flush()
  expect(first.sent).toBe([0, 1, 2].map((index) => `$5\r\none ${index}\r\n+OK\r\n`).join(''))
  expect(second.sent).toBe([0, 1, 2].map((index) => `:${index}\r\n$20000\r\n${`${index}`.repeat(20_000)}\r\n`).join(''))
})

test('clients whose lookups end at the same moment each get their own value', async () => {
  const talk = new Talk()
  const found = Promise.withResolvers<void>()
  talk.store.onGet = async (key) => {
    await found.promise
    return { value: new Uint8Array(Buffer.from(`of ${Buffer.from(key)}`)), partition: 0, offset: 1, timestamp: 1 }
  }
  const outputs = ['a', 'b', 'c'].map((key) => {
    const output = new Output()
    talk.open(output).received(new Uint8Array(command('GET', key)))
    return output
  })
  found.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  expect(outputs.map(({ sent }) => sent)).toEqual(['$4\r\nof a\r\n', '$4\r\nof b\r\n', '$4\r\nof c\r\n'])
})
