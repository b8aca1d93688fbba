import { describe, expect, test } from 'bun:test'
import { describeServer, serverNotices } from '../../lib/server/notices.ts'

const token = 'x'.repeat(32)
const server = { bind: '127.0.0.1', port: 8080 }

describe('serverNotices', () => {
  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '::ffff:127.0.0.1'])(
    'there is no notice when it listens at %s',
    (bind) => {
      expect(serverNotices({ ...server, bind }, 4096)).toEqual([])
    },
  )

  test.each(['0.0.0.0', '::', '192.168.0.1', '::ffff:10.0.0.1', 'kafka-1', '127'])(
    'the missing token is a notice when it listens at %s',
    (bind) => {
      const [notice, ...others] = serverNotices({ ...server, bind }, 4096)
      expect(notice).toStartWith(
        `HTTP listens at ${bind} without a token: anyone who can reach port 8080 can read every value`,
      )
      expect(notice).toContain('Set SERVER_TOKEN_FILE, or SERVER_BIND=127.0.0.1')
      expect(others).toEqual([])
      expect(serverNotices({ ...server, bind, token }, 4096)).toEqual([])
    },
  )

  test('a port that is selected later has no number in the notice', () => {
    const reached = (ports: { port: number; respPort?: number }) =>
      serverNotices({ bind: '0.0.0.0', ...ports }, 4096)[0]?.match(/reach (.+?) can/)?.[1]
    expect(reached({ port: 0 })).toBe('its port')
    expect(reached({ port: 8080, respPort: 0 })).toBe('its ports')
    expect(reached({ port: 8080, respPort: 6379 })).toBe('ports 8080 and 6379')
  })

  test('no notice says that HTTP listens during a check', () => {
    const [notice] = serverNotices({ ...server, bind: '0.0.0.0' }, 4096, false)
    expect(notice).toStartWith('HTTP would listen at 0.0.0.0 without a token: ')
  })

  test('a short token is a notice that does not show it', () => {
    const notices = serverNotices({ ...server, token: 'geheim' }, 4096)
    expect(notices).toEqual([
      'SERVER_TOKEN has fewer than 16 characters: "openssl rand -hex 32" prints one that cannot be guessed',
    ])
  })

  test('the number of connections is a notice when descriptors are short', () => {
    expect(serverNotices({ ...server, connectionsMax: 4096 }, 1024)).toEqual([
      'SERVER_CONNECTIONS_MAX=4096 needs more descriptors than there are: 640 connections are accepted. Raise the limit of 1024 descriptors (ulimit -n, LimitNOFILE) to 4608',
    ])
    expect(serverNotices({ ...server, connectionsMax: 4096 }, 4608)).toEqual([])
  })
})

describe('describeServer', () => {
  test('the token is not shown when there is one', () => {
    const line = describeServer({ ...server, token: 'geheim', connectionsMax: 1 })
    expect(line).toBe('http: at 127.0.0.1 port 8080, a token is asked for, at most 1 connections')
    expect(describeServer(server)).toContain('no token is asked for')
    expect(describeServer({ ...server, respPort: 6379 })).toEndWith(', redis protocol at port 6379')
    expect(describeServer({ ...server, hosts: ['a.example', '*.b'] })).toContain(', hosts a.example, *.b, at most')
  })
})
