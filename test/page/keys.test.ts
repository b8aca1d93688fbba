import { describe, expect, test } from 'bun:test'
import { type CommandPlace, curlLine, encodedKey, redisLine, type ShownKey } from '../../lib/page/keys.ts'

const place: CommandPlace = { url: 'http://localhost:8080', id: 'orders', needsToken: false, respPort: 6379 }
const hostile: ShownKey[] = [
  '',
  '10002',
  'a b',
  "it's",
  '$(touch /tmp/x)`id`"\\',
  'a\nb\t\u001B[31m',
  '\u202Etxt.exe',
  '%s%n',
  '-x',
  '../..?#&+',
  'é 😀',
  { base64: btoa('\u0001\u0080\u00FF\'\\"A') },
]

describe('commands for a key', () => {
  test('they name the key, the token by a variable, and the port', () => {
    expect(curlLine('a b', place)).toBe("curl 'http://localhost:8080/stores/orders?key=a%20b'")
    expect(redisLine('a b', place)).toBe("redis-cli -h localhost -p 6379 GET 'a b'")
    const secured = { ...place, url: 'https://[::1]:8443/x', needsToken: true }
    expect(curlLine('a', secured)).toBe(
      `curl -H "Authorization: Bearer $TOKEN" 'https://[::1]:8443/x/stores/orders?key=a'`,
    )
    expect(redisLine('a', secured)).toBe(`REDISCLI_AUTH="$TOKEN" redis-cli --tls -h ::1 -p 6379 GET 'a'`)
  })

  test('there is no line for Redis without its port, and for a key that no command line can have', () => {
    expect([redisLine('a', { ...place, respPort: null }), redisLine('a\0', place)]).toEqual([undefined, undefined])
  })

  test.each(hostile)('a shell takes %j as one word, and as it is', (key) => {
    const line = redisLine(key, place)!.replace(/^redis-cli -h localhost -p 6379 GET /, "printf '%s' ")
    const { stdout, stderr } = Bun.spawnSync(['bash', '-c', line])
    expect([stderr.toString(), stdout]).toEqual(['', Buffer.from(decodeKey(key))])
    const curl = curlLine(key, place).replace(/^curl /, "printf '%s' ")
    const url = Bun.spawnSync(['bash', '-c', curl]).stdout.toString()
    expect(url).toBe(`http://localhost:8080/stores/orders?key=${encodedKey(key)}`)
    // oxlint-disable-next-line no-control-regex
    expect(line + curl).not.toMatch(/[\u0000-\u001f\u202e]/)
  })

  test('half of a pair does not stop a lookup', () => {
    expect(encodedKey('\uD800')).toBe('%EF%BF%BD')
  })
})

function decodeKey(key: ShownKey): Uint8Array {
  return typeof key === 'string' ? new TextEncoder().encode(key) : Buffer.from(key.base64, 'base64')
}
