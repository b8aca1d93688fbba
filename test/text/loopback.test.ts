import { expect, test } from 'bun:test'
import { isLoopback, isLoopbackHost, isUnspecifiedHost } from '../../lib/text/loopback.ts'

test.each(['::1', '127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
  '%s is a loopback address',
  (address) => {
    expect(isLoopback(address)).toBe(true)
    expect(isLoopbackHost(address)).toBe(true)
  },
)

test.each([
  'localhost',
  'localhost.',
  'LOCALHOST',
  'a.localhost',
  '[::1]',
  '127.1',
  '0x7f.1',
  '[::ffff:7f00:1]',
  '0:0:0:0:0:0:0:1',
])('%s is a loopback host', (host) => {
  expect([isLoopbackHost(host), isUnspecifiedHost(host)]).toEqual([true, false])
})

test.each(['0.0.0.0', '0', '0x0', '::', '[::]', '::0', '0:0:0:0:0:0:0:0', '[::ffff:0.0.0.0]', '[::ffff:0:0]'])(
  '%s stands for all addresses',
  (host) => {
    expect([isLoopbackHost(host), isUnspecifiedHost(host)]).toEqual([false, true])
  },
)

test.each([
  '10.0.0.7',
  'host',
  'host_1',
  'localhost.example',
  'notlocalhost',
  '[fd00::1]',
  '0.example',
  '::ffff:10.0.0.1',
  'a b',
  '',
])('%s is another host', (host) => {
  expect([isLoopbackHost(host), isUnspecifiedHost(host)]).toEqual([false, false])
})
