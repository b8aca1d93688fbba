/** The thread's time that clients get who send many commands at once. */
import { expect, test } from 'bun:test'
import { Turns } from '../../lib/turns.ts'
import { command } from '../support/resp/replies.ts'
import { Talk } from '../support/resp/talk.ts'
import { inTurns } from '../support/server/fake-connection.ts'

const commands = 10_000
const sent = new Uint8Array(Buffer.concat(Array.from({ length: commands }, () => command('GET', 'a'))))

/** Clients whose commands take 10 us each. */
function talking(clients: number) {
  let reads = 0
  const talk = new Talk({ turns: new Turns(() => reads / 100) })
  talk.store.onGet = () => {
    reads++
    return undefined
  }
  const sessions = Array.from({ length: clients }, () => talk.open())
  return { talk, sessions, reads: () => reads }
}

test('the commands of all clients share a turn', async () => {
  const { sessions, reads } = talking(20)
  for (const session of sessions) session.received(sent)
  // Each of them has had a part of the first turn.
  expect(reads()).toBeLessThan(20 * 600)
  const before = reads()
  await inTurns(() => reads() > before)
  expect(reads() - before).toBeLessThan(2_600)
  await inTurns(() => sessions.every(({ isWaiting }) => !isWaiting))
  expect(reads()).toBe(20 * commands)
})

test('a client that sends few commands has its turn at once, while others wait', async () => {
  const { talk, sessions, reads } = talking(5)
  for (const session of sessions) session.received(sent)
  const before = reads()
  expect(talk.now(command('GET', 'a')).at(-1)).toBeNull()
  expect(reads()).toBe(before + 1)
})
