import { describe, expect, test } from 'bun:test'
import { readArguments } from '../../lib/cli/arguments.ts'
import { LatchkeyError } from '../../lib/errors.ts'

function faultsOf(command: Parameters<typeof readArguments>[0], ...argv: string[]): unknown {
  try {
    return readArguments(command, argv)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LatchkeyError)
    return (thrown as LatchkeyError).details?.['faults']
  }
}

describe('readArguments', () => {
  test('takes words and flags in any order, and settings as flags', () => {
    const argv = ['--json', '--url', 'http://a:1', '10002', '--store-id=orders', '--server-token-file', 'token']
    expect(readArguments('get', argv)).toEqual({
      words: ['10002'],
      json: true,
      prefix: undefined,
      fromStart: false,
      client: {
        url: 'http://a:1',
        envFile: undefined,
        values: new Map([
          ['STORE_ID', 'orders'],
          ['SERVER_TOKEN_FILE', 'token'],
        ]),
      },
    })
  })

  test('a key may begin with "-", after "--", and may be empty', () => {
    expect(readArguments('get', ['--', '--json']).words).toEqual(['--json'])
    expect(readArguments('get', ['']).words).toEqual([''])
  })

  test('every fault is named, with what is allowed', () => {
    expect(faultsOf('get')).toEqual(['the key is missing: latchkey get KEY [--json]'])
    expect(faultsOf('get', 'a', 'b')).toEqual(['"b" is not expected: latchkey get KEY [--json]'])
    expect(faultsOf('dump', '--prefx', '--url')).toEqual([
      '"--prefx" is not a flag of dump: did you mean --prefix?',
      '--url has no value: give one, as in --url=…',
    ])
    expect(faultsOf('get', 'a', '--json=yes')).toEqual(['--json takes no value: leave "=…" out'])
    expect(faultsOf('watch', 'a', '--prefix', 'b')).toEqual([
      'keys and --prefix exclude each other: leave one of them out',
    ])
    expect(faultsOf('get', '-x')).toEqual([
      '"-x" is not a flag of get: leave it out, or put "--" before a key that begins with "-"',
      'the key is missing: latchkey get KEY [--json]',
    ])
    expect(faultsOf('get', '-dash')).toEqual([
      '"-dash" is not a flag of get: leave it out, or put "--" before a key that begins with "-"',
      'the key is missing: latchkey get KEY [--json]',
    ])
  })
})
