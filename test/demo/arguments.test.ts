import { expect, test } from 'bun:test'
import { readArguments } from './arguments.ts'

test('the demo takes its flags in any order', () => {
  expect(readArguments([])).toEqual({ isCluster: false, once: false })
  expect(readArguments(['--once', '--cluster'])).toEqual({ isCluster: true, once: true })
})

test.each([
  ['--onc', 'Did you mean --once?'],
  ['once', 'It takes --cluster and --once'],
])('the demo refuses %s', (word, advice) => {
  const fault = `Reading the command line of the demo: "${word}" is not a flag. ${advice}`
  expect(readArguments(['--cluster', word])).toMatchObject({ fault })
})
