import { expect, test } from 'bun:test'
import { checkListening } from '../../lib/server/port-claim.ts'

test.each(['192.0.2.1', 'no-such-host.invalid'])('checkListening throws when the machine lacks %s', (bind) => {
  expect(() => checkListening(bind, 0)).toThrow(
    `Listening at ${bind} port 0: this machine has no such address; choose another SERVER_BIND, such as 0.0.0.0 for all that it has`,
  )
})

test('checkListening warns when the port is in use', () => {
  using other = Bun.serve({ port: 0, hostname: '127.0.0.1', reusePort: false, fetch: () => new Response() })
  const warning = checkListening('127.0.0.1', other.port!)
  expect(warning).toStartWith(`the port ${other.port} at 127.0.0.1 is in use, perhaps by an instance that runs. `)
  expect(warning).toContain('choose another SERVER_PORT')
})

test('checkListening warns when the port is shared by the threads of an instance', () => {
  using other = Bun.serve({ port: 0, hostname: '127.0.0.1', reusePort: true, fetch: () => new Response() })
  expect(checkListening('127.0.0.1', other.port!)).toContain('is in use')
})

test('checkListening leaves the port free', () => {
  using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port } = other
  void other.stop(true)
  expect(checkListening('127.0.0.1', port!)).toBeUndefined()
  expect(checkListening('127.0.0.1', port!)).toBeUndefined()
})
