import { expect, test } from 'bun:test'
import { AssignerProtocol } from 'kafkajs'
import {
  assignmentData,
  encodeAssignment,
  encodeSubscription,
  subscriptionData,
} from '../../lib/group/consumer-protocol.ts'

const data = Buffer.from('data')

test('other clients read the topics and partitions of a member', () => {
  const subscription = encodeSubscription(['orders', 'größe'], data)
  expect(AssignerProtocol.MemberMetadata.decode(subscription)).toMatchObject({
    topics: ['orders', 'größe'],
    userData: data,
  })
  const assignment = encodeAssignment('orders', [0, 70_000], data)
  const decoded = AssignerProtocol.MemberAssignment.decode(assignment)
  expect(decoded).toMatchObject({ assignment: { orders: [0, 70_000] }, userData: data })
})

test('the data of a member come out as they went in', () => {
  expect(subscriptionData(encodeSubscription(['orders'], data))).toEqual(data)
  expect(assignmentData(encodeAssignment('orders', [1, 2], data))).toEqual(data)
  expect(assignmentData(Buffer.alloc(0))).toHaveLength(0)
})

test('bytes that end too early, or state more than there is, are refused', () => {
  const assignment = encodeAssignment('orders', [1, 2], data)
  for (let length = 1; length < assignment.length; length++) {
    expect(() => assignmentData(assignment.subarray(0, length))).toThrow('end too early')
  }
  expect(() => subscriptionData(Buffer.from('00007fffffff', 'hex'))).toThrow('end too early')
  expect(() => subscriptionData(Buffer.from('000000000001', 'hex'))).toThrow('end too early')
})
