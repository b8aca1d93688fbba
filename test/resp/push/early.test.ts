/** Clients that subscribe or track while the store recovers. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { command, Push, repliesIn } from '../../support/resp/replies.ts'
import { Talk } from '../../support/resp/talk.ts'

interface Recovering {
  readonly talk: Talk
  /** The store serves, or cannot be watched. */
  end(error?: LatchkeyError): Promise<void>
}

async function recovering(): Promise<Recovering> {
  const talk = new Talk()
  const { changes } = talk.store
  const opening = Promise.withResolvers<void>()
  changes.opening = opening.promise
  changes.isRecovering = true
  await talk.ask('HELLO', '3')
  return {
    talk,
    async end(error) {
      changes.isRecovering = false
      changes.error = error
      opening.resolve()
      await Bun.sleep(0)
    },
  }
}

test('CLIENT TRACKING is answered at once, and what was read before changes were watched is invalid', async () => {
  const { talk, end } = await recovering()
  expect(await talk.ask('CLIENT', 'TRACKING', 'ON')).toBe('OK')
  talk.store.put('a', 'old')
  // The store serves, and changes are not watched yet.
  talk.store.changes.isRecovering = false
  expect(await talk.ask('GET', 'a')).toBe('old')
  talk.store.change('a', 'new')
  await end()
  expect(await talk.pushed()).toEqual([new Push(['invalidate', ['a']]), new Push(['invalidate', null])])
  await talk.ask('GET', 'a')
  talk.store.change('a', 'newer')
  expect(await talk.pushed()).toEqual([new Push(['invalidate', ['a']])])
})

test('CLIENT TRACKING ON waits if the store serves and changes are not watched yet', async () => {
  const { talk, end } = await recovering()
  await talk.ask('CLIENT', 'TRACKING', 'ON')
  talk.store.changes.isRecovering = false
  const later = talk.open()
  later.received(new Uint8Array(command('HELLO', '3')))
  talk.output.take()
  later.received(new Uint8Array(command('CLIENT', 'TRACKING', 'ON')))
  expect(await talk.pushed()).toEqual([])
  await end()
  expect(await talk.pushed()).toContain('OK')
})

test.each([
  ['SUBSCRIBE', 'subscribe'],
  ['PSUBSCRIBE', 'psubscribe'],
])('%s is answered at once, and the connection ends when changes are watched', async (word, kind) => {
  const { talk, end } = await recovering()
  expect(await talk.ask(word, 'a')).toEqual(new Push([kind, 'a', 1]))
  expect(talk.session.isOver).toBe(false)
  await end()
  expect(talk.session.fault).toBe('changes were missed that its subscriptions name')
})

test('the connection ends if changes cannot be watched', async () => {
  const { talk, end } = await recovering()
  await talk.ask('CLIENT', 'TRACKING', 'ON')
  await end(new LatchkeyError('waits_exhausted', 'Waiting: 20000 requests already wait'))
  expect(talk.session.fault).toBe('changes cannot be watched')
  talk.session.close()
  expect(talk.stats.trackingClients).toBe(0)
})

test('a client that leaves before is forgotten', async () => {
  const { talk, end } = await recovering()
  await talk.ask('SUBSCRIBE', 'a')
  await talk.ask('UNSUBSCRIBE')
  await end()
  expect(talk.session.isOver).toBe(false)
  expect(talk.store.changes.watches).toBe(0)
  expect(repliesIn(talk.output.take()).replies).toEqual([])
})
