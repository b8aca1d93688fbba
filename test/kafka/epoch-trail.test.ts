import { expect, test } from 'bun:test'
import { EpochTrail } from '../../lib/kafka/epoch-trail.ts'
import { divergenceOf } from '../../lib/kafka/leader-epochs.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { endOfEpochResponse } from '../support/kafka/fakes/responses.ts'
import { until } from '../support/until.ts'

function trailOf(text: string): EpochTrail {
  return EpochTrail.from(text)
}

/** Epochs with the offset where each begins, and where the log ends. */
interface Log {
  epochs: [epoch: number, start: number][]
  end: number
}

/** As a broker answers OffsetForLeaderEpoch. */
function endIn({ epochs, end }: Log, asked: number): { epoch: number; endOffset: number } {
  const at = epochs.findLastIndex(([epoch]) => epoch <= asked)
  if (at < 0 || asked > epochs.at(-1)![0]) return { epoch: -1, endOffset: -1 }
  return { epoch: epochs[at]![0], endOffset: epochs[at + 1]?.[1] ?? end }
}

async function divergence(
  trail: EpochTrail,
  position: number,
  log: Log,
  asked = trail.last,
): Promise<number | undefined> {
  const fake = new FakeClient({ 0: 1 })
  const found = divergenceOf(fake.client, 'orders', 0, trail, asked, () => position)
  await until('the divergence is found', async () => {
    if (fake.unseen > 0) {
      const { request, answer } = await fake.next()
      const epoch = (request.encode() as { buffer: Buffer }).buffer.readInt32BE(4 + 4 + 2 + 6 + 4 + 4 + 4)
      answer(endOfEpochResponse('orders', { partition: 0, ...endIn(log, epoch) }))
    }
    return Bun.peek.status(found) !== 'pending'
  })
  return found
}

test('a trail records where each epoch begins, and skips one that falls', () => {
  const trail = new EpochTrail()
  expect([trail.note(3, 10), trail.note(3, 20), trail.note(5, 30), trail.note(4, 40)]).toEqual([
    false,
    false,
    true,
    false,
  ])
  expect(trail.last).toBe(5)
  expect([10, 11, 30, 31].map((offset) => trail.epochBefore(offset))).toEqual([undefined, 3, 3, 5])
  expect([trail.textBefore(31), trail.textBefore(30), trail.textBefore(5)]).toEqual(['3@10,5@30', '3@10', ''])
  trail.cut(30)
  expect(trail.textBefore(100)).toBe('3@10')
})

test('a trail reads the text of another trail, and ignores other text', () => {
  expect(trailOf('3@10,5@30').textBefore(100)).toBe('3@10,5@30')
  for (const text of ['', '3@', 'x', '-1@5', '99999999999@1']) expect(trailOf(text).last).toBeUndefined()
  expect(EpochTrail.from(undefined).last).toBeUndefined()
})

test('a trail keeps a bounded number of epochs, the latest', () => {
  const trail = new EpochTrail()
  for (let epoch = 0; epoch < 100; epoch++) trail.note(epoch, epoch * 10)
  expect(trail.textBefore(10_000).split(',')).toHaveLength(8)
  expect(trail.last).toBe(99)
})

test.each<[what: string, trail: string, position: number, log: Log, expected: number | undefined]>([
  ['nothing changed', '3@0', 150, { epochs: [[3, 0]], end: 150 }, undefined],
  [
    'there is more than was read',
    '3@0',
    100,
    {
      epochs: [
        [3, 0],
        [4, 150],
      ],
      end: 200,
    },
    undefined,
  ],
  ['it ends earlier', '3@0', 150, { epochs: [[3, 0]], end: 100 }, 100],
  [
    'another epoch begins earlier',
    '3@0',
    150,
    {
      epochs: [
        [3, 0],
        [4, 100],
      ],
      end: 900,
    },
    100,
  ],
  [
    'the last epoch is not there',
    '3@0,5@100',
    150,
    {
      epochs: [
        [3, 0],
        [6, 120],
      ],
      end: 900,
    },
    100,
  ],
  [
    'the last epoch is not there, nor the end of the one before',
    '3@0,5@100',
    150,
    {
      epochs: [
        [3, 0],
        [6, 80],
      ],
      end: 900,
    },
    80,
  ],
  [
    'an epoch that was never read stands in the midst',
    '3@0,5@100',
    150,
    {
      epochs: [
        [3, 0],
        [4, 80],
        [6, 120],
      ],
      end: 900,
    },
    80,
  ],
  [
    'two epochs are not there',
    '3@0,4@90,5@100',
    150,
    {
      epochs: [
        [3, 0],
        [6, 120],
      ],
      end: 900,
    },
    90,
  ],
  [
    'none of the epochs is there',
    '3@50,5@100',
    150,
    {
      epochs: [
        [1, 0],
        [6, 60],
      ],
      end: 900,
    },
    50,
  ],
  ['the broker knows no such epoch yet', '7@0', 150, { epochs: [[3, 0]], end: 100 }, undefined],
])('a log diverges where it has to when %s', async (_, trail, position, log, expected) => {
  expect(await divergence(trailOf(trail), position, log)).toBe(expected)
})

test('records of a later epoch do not hide that the one before was truncated', async () => {
  const log: Log = {
    epochs: [
      [3, 0],
      [4, 100],
    ],
    end: 200,
  }
  expect(await divergence(trailOf('3@0,4@150'), 200, log)).toBeUndefined()
  expect(await divergence(trailOf('3@0,4@150'), 200, log, 3)).toBe(100)
})

/** A trail of `text` up to 100, whose reader stands at 150 by what another has read. */
function resumedTrail(text: string): EpochTrail {
  const trail = trailOf(text)
  trail.isUnknownFrom(100)
  return trail
}

test('a trail extended by another reader treats no later election as a loss, and reports an earlier one', async () => {
  const electedMeanwhile: Log = {
    epochs: [
      [3, 0],
      [4, 120],
    ],
    end: 900,
  }
  expect(await divergence(trailOf('3@0'), 150, electedMeanwhile)).toBe(120)
  expect(await divergence(resumedTrail('3@0'), 150, electedMeanwhile)).toBeUndefined()
  const lostBefore: Log = {
    epochs: [
      [3, 0],
      [4, 80],
    ],
    end: 900,
  }
  expect(await divergence(resumedTrail('3@0'), 150, lostBefore)).toBe(80)

  const trail = resumedTrail('3@0')
  expect(trail.textBefore(150)).toBe('')
  expect(trail.note(4, 150)).toBe(true)
  expect(await divergence(trail, 160, electedMeanwhile)).toBeUndefined()
  expect(await divergence(trail, 160, electedMeanwhile, 3)).toBeUndefined()
  expect([trail.textBefore(150), trail.textBefore(151)]).toEqual(['', '4@150'])
  // What was read of epoch 4 is not there any more.
  const lostAfter: Log = {
    epochs: [
      [3, 0],
      [5, 155],
    ],
    end: 900,
  }
  expect(await divergence(trail, 160, lostAfter)).toBe(150)
})

test('a trail extended by another reader is complete again when the same epoch continues', async () => {
  const trail = resumedTrail('3@0')
  expect(trail.note(3, 150)).toBe(false)
  expect(trail.textBefore(150)).toBe('3@0')
  expect(await divergence(trail, 150, { epochs: [[3, 0]], end: 120 })).toBe(120)
})
