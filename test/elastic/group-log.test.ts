import { afterEach, expect, test } from 'bun:test'
import { GroupLog } from '../../lib/elastic/group-log.ts'
import { configureLogging } from '../../lib/log/index.ts'
import { linesAt } from '../support/log/lines.ts'

afterEach(() => configureLogging({ level: 'error', structured: false }))

function logged(look: (log: GroupLog) => void): string[] {
  const lines = linesAt('info')
  look(new GroupLog('orders'))
  return lines.map(({ level, message }) => `${level}: ${message}`)
}

test('an instance that gets nothing is logged once for each reason, and when that ends', () => {
  const lines = logged((log) => {
    log.planned({ differing: [] })
    for (let plans = 0; plans < 3; plans++) log.planned({ excludedReason: 'PARTITIONER differs', differing: [] })
    log.planned({ differing: [] })
    log.planned({ differing: [] })
  })
  expect(lines).toEqual([
    'warning: This instance gets nothing of group orders: PARTITIONER differs',
    'info: Group orders has this instance in its plan now',
  ])
})

test('settings that differ are logged when they change', () => {
  const lines = logged((log) => {
    for (const differing of [['MEMORY_MAX'], ['MEMORY_MAX'], []]) log.planned({ differing })
  })
  expect(lines).toEqual([
    'warning: Settings differ between the instances of group orders: MEMORY_MAX',
    'info: Settings of the instances of group orders agree now',
  ])
})

test('an instance that the others do not reach is logged once, not while that is not known', () => {
  const reason = 'http://a does not reach this instance at http://b: the connection was refused'
  const lines = logged((log) => {
    log.reached({ isReachable: null })
    log.reached({ isReachable: true })
    log.reached({ isReachable: false, reason })
    log.reached({ isReachable: null })
    log.reached({ isReachable: false, reason: 'another text' })
    log.reached({ isReachable: true })
  })
  expect(lines).toEqual([
    `warning: Being reached by the other instances: ${reason}. Correct ADVERTISED_URL, or the network`,
    'info: The other instances reach this one now',
  ])
})

test('plans that cannot be read are logged once for each reason, and when that ends', () => {
  const lines = logged((log) => {
    log.planned({ differing: [] })
    for (let plans = 0; plans < 3; plans++) log.unread({ reason: 'it is not signed' })
    log.planned({ differing: [] })
    log.planned({ differing: [] })
  })
  expect(lines).toEqual([
    'warning: No plan comes for this instance of group orders: it is not signed',
    'info: A plan of group orders has come for this instance again',
  ])
})
