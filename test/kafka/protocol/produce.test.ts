import { expect, test } from 'bun:test'
import { parseProduceResponse, produceRequest } from '../../../lib/kafka/protocol/produce.ts'
import { bodyOf, int16, int32, producedBatches, produceResponse } from '../../support/kafka/fakes/responses.ts'

test('produceRequest writes the bytes of version 7 when given batches', () => {
  const batches = [
    { partition: 2, bytes: Buffer.from('first') },
    { partition: 0, bytes: Buffer.from('second') },
  ]
  const request = produceRequest('log', batches, -1, 30_000)
  expect(request).toMatchObject({ apiKey: 0, apiVersion: 7 })
  const expected = Buffer.concat([
    int16(-1), // no transactional id
    int16(-1),
    int32(30_000, 1),
    int16(3),
    Buffer.from('log'),
    int32(2, 2, 5),
    Buffer.from('first'),
    int32(0, 6),
    Buffer.from('second'),
  ])
  expect(bodyOf(request)).toEqual(expected)
})

test('produceRequest carries batches unchanged when they are megabytes', () => {
  const bytes = Buffer.alloc(3 << 20, 'x')
  expect(producedBatches(produceRequest('log', [{ partition: 1, bytes }], 1, 1))).toEqual([
    { partition: 1, batch: bytes },
  ])
})

const sample = produceResponse('log', [
  { partition: 1, baseOffset: 2 ** 40 },
  { partition: 7, errorCode: 47 },
])

test('parseProduceResponse reports offset and error of each partition when the response is whole', () => {
  expect(parseProduceResponse(sample)).toEqual([
    { partition: 1, errorCode: 0, baseOffset: 2 ** 40 },
    { partition: 7, errorCode: 47, baseOffset: -1 },
  ])
})

test('parseProduceResponse calls a response malformed when it is cut off before the last offset', () => {
  const lastOffsetEnds = sample.length - 4 - 16
  for (let length = 0; length < lastOffsetEnds; length++) {
    const cut = Buffer.from(sample.subarray(0, length))
    expect(() => parseProduceResponse(cut), `cut to ${length} bytes`).toThrow(
      expect.objectContaining({ code: 'response_malformed', retriable: true }),
    )
  }
})

test('parseProduceResponse calls a response malformed when it promises more partitions than follow', () => {
  const wrong = Buffer.from(sample)
  wrong.writeInt32BE(2 ** 31 - 1, 9)
  expect(() => parseProduceResponse(wrong)).toThrow(expect.objectContaining({ code: 'response_malformed' }))
})
