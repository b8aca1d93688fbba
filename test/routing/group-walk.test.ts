import { expect, test } from 'bun:test'
import type { GroupAsker } from '../../lib/routing/group-asker.ts'
import { GroupWalk } from '../../lib/routing/group-walk.ts'
import type { ChunkResult } from '../../lib/routing/wide-operations.ts'
import { problemOf } from '../support/http/fake-store.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { plan, startInstanceOf } from '../support/routing/instances.ts'

test.each([
  [0, 5],
  [0, 4],
  [1, 9],
])(
  'a chunk that does not advance is refused: a walk would not end (partition %d, hash %d)',
  async (partition, hash) => {
    const chunk = { epoch: 1, entries: [], examined: 0, next: { partition, hash } }
    const answer: ChunkResult = { type: 'chunk', mark: 'mark', chunk }
    const asker = {
      local: { walkMark: 'own' },
      routes: { candidates: () => ['member'] },
      attempted: 'Reading store orders',
      nameOf: () => 'http://a:1',
      isSelf: () => false,
      instanceOf: () => 'a',
      ask: () => Promise.resolve(answer),
    } as unknown as GroupAsker
    const walk = new GroupWalk(asker, { askMs: 100, roundsMs: 0, pauseMs: 0 })
    const read = walk.readChunk({ partition: 0, hash: 5, mark: 'mark' }, { limit: 1, withValues: false })
    const outcome = await read
      .then(({ next, isRestart }) => ({ next, isRestart }))
      .catch((thrown: unknown) => String(thrown))
    // From the start of the partition, hash 4 is an advance.
    if (partition === 0) expect(outcome).toMatchObject({ isRestart: true })
    else expect(outcome).toContain('does not advance')
  },
)

test('a page of a partition whose instance does not answer says what each has said', async () => {
  await using a = startInstanceOf('a', new FakeEntries('a'))
  const gone = { name: 'b', url: 'http://127.0.0.1:1' }
  plan([a], [['b'], ['a'], ['a'], ['a']], [gone])
  const problem = await problemOf(await fetch(`${a.url}/stores/orders?limit=10`))
  expect(problem).toMatchObject({ status: 503, code: 'owner_unreachable', partition: 0, tried: [{ url: gone.url }] })
})
