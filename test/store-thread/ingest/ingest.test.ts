import { afterEach, expect, test } from 'bun:test'
import { fetchPositions, produceResponse } from '../../support/kafka/fakes/responses.ts'
import { acknowledge, feed, ingesting } from '../../support/store-thread/ingest-setup.ts'
import { soon, until } from '../../support/until.ts'

const messageTooLarge = 10
const invalidProducerEpoch = 47
/** A record of a megabyte less what surrounds it: that many fill the backlog. */
const megabyte = (1 << 20) - 1_000
const backlogRecords = 33

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start(partitions: number, deadLetterTopic?: string) {
  const setup = ingesting(partitions, deadLetterTopic)
  open.push(setup)
  for (let partition = 0; partition < partitions; partition++) setup.ingest.follow(partition)
  return setup
}

/** Everything that does not wait for a timer has happened by then. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}

test('no more is fetched than the backlog has room for, until the changelog has acknowledged some', async () => {
  const { source, changelog, failures } = start(1)
  await feed(source, 0, backlogRecords, megabyte)
  // The next one was sent before what came was worked off.
  await feed(source, 0, 1)
  await turns()
  expect([source.unseen, failures]).toEqual([0, []])
  await acknowledge(changelog)
  await acknowledge(changelog)
  await until('there is room', () => source.unseen === 1)
})

test('a flush ends when everything read is acknowledged, and not before', async () => {
  const { ingest, source, changelog, stats } = start(1)
  await feed(source, 0, 3)
  await until('it is read', () => stats.count('recordsConsumed') === 3)
  const drained = ingest.drained()
  await turns()
  expect(await Promise.race([drained, 'waits'])).toBe('waits')
  await acknowledge(changelog)
  await soon('the flush', drained)
  expect(ingest.acknowledged(0)).toBe(3)
})

test('a store has finished when what it writes again is acknowledged, too, for which a flush does not wait', async () => {
  const { ingest, changelog } = start(1)
  const amending = ingest.amend(0, (amendment) => amendment.append(Buffer.from('key'), 7))
  const finished = ingest.finished()
  await ingest.drained()
  await turns()
  expect(await Promise.race([finished, 'waits'])).toBe('waits')
  await acknowledge(changelog)
  await soon('the end', finished)
  expect(await amending).toBeTrue()
})

test('a flush ends when the partition that it waits for is lost, and the batches of that partition no longer count', async () => {
  const { ingest, source, changelog, stats, lost } = start(2)
  await feed(source, 0, backlogRecords, megabyte)
  await until('it is read', () => stats.count('recordsConsumed') === backlogRecords)
  expect(ingest.room()).toBeDefined()
  const [drained, settled] = [ingest.drained(), ingest.settled(0)]
  await acknowledge(changelog, { 0: invalidProducerEpoch })
  await soon('both', Promise.all([drained, settled]))
  expect(lost).toEqual([0])
  expect(ingest.room()).toBeUndefined()
  expect(ingest.acknowledged(0)).toBe(-1)
  // Of the response that was under way nothing counts.
  await feed(source, 0, 1)
  expect(await feed(source, 1, 1)).toEqual([1])
  expect(await acknowledge(changelog)).toEqual([1])
})

test('nothing is written after a record that the changelog refuses before its dead letter is acknowledged', async () => {
  const { ingest, source, changelog, deadLetters } = start(1, 'bad')
  await feed(source, 0, 2)
  // Both, then the first one alone, then that one compressed.
  for (let attempt = 0; attempt < 3; attempt++) await acknowledge(changelog, { 0: messageTooLarge })
  await source.next() // continues reading
  await feed(source, 0, 2) // looks at the record again
  const deadLetter = await deadLetters.next()
  await turns()
  expect(changelog.unseen).toBe(0)
  deadLetter.answer(produceResponse('bad', [{ partition: 0, baseOffset: 0 }]))
  expect(await acknowledge(changelog)).toEqual([0])
  await until('all is acknowledged', () => ingest.acknowledged(0) === 2)
})

test('other partitions are still read when the changelog of one accepts nothing', async () => {
  const { source, changelog } = start(2)
  await feed(source, 0, backlogRecords, megabyte)
  await changelog.next()
  await feed(source, 1, 1)
  await turns()
  expect(source.unseen).toBe(0)
  // It stands still from now on: its share waits, and it is fetched no more.
  await until('the other one alone is fetched', () => source.unseen === 1)
  // Nor does it return.
  for (let round = 0; round < 3; round++) expect(await feed(source, 1, 3)).toEqual([1])
})

test('nothing is fetched while memory is full; what was read is written, and reading continues where it was', async () => {
  const { source, changelog, stats, ingest, hold, map, failures } = start(1)
  await feed(source, 0, 3)
  await until('it is read', () => stats.count('recordsConsumed') === 3)
  hold()
  // The Fetch that was sent before is answered, and its records are not taken.
  await feed(source, 0, 5)
  await acknowledge(changelog)
  await until('it is written', () => ingest.acknowledged(0) === 3)
  await map.publish()
  expect(map.stats(0).entries).toBe(3)
  await turns()
  expect([source.unseen, stats.count('recordsConsumed'), failures]).toEqual([0, 3, []])
  // A partition that is followed later is not read either.
  ingest.follow(0, false)
  ingest.follow(0)
  await turns()
  expect(source.unseen).toBe(0)
  hold(false)
  const next = await source.next()
  expect(fetchPositions(next.request)).toMatchObject([{ partition: 0, offset: 3 }])
})
