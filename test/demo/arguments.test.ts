import { expect, test } from 'bun:test'
import { readArguments } from './arguments.ts'

test('the demo takes its flags in any order', () => {
  expect(readArguments([])).toEqual({ isCluster: false, isElastic: false, once: false })
  expect(readArguments(['--once', '--cluster'])).toEqual({ isCluster: true, isElastic: false, once: true })
  expect(readArguments(['--elastic', '--once'])).toEqual({ isCluster: false, isElastic: true, once: true })
})

test.each([
  ['--onc', 'Did you mean --once?'],
  ['once', 'It takes --cluster, --elastic and --once'],
])('the demo refuses %s', (word, advice) => {
  const fault = `Reading the command line of the demo: "${word}" is not a flag. ${advice}`
  expect(readArguments(['--cluster', word])).toMatchObject({ fault })
})

test('the demo runs fixed partitions or a group', () => {
  expect(readArguments(['--elastic', '--cluster']).fault).toContain('Give one')
})
