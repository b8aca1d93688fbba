/** The executable beside a browser whose page leads its own name to this machine. No broker is needed: HTTP answers from the first moment. */
import { expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { rawRequest } from '../support/http/raw-request.ts'

const settings = { ...localPort, SOURCE_TOPIC: 'orders', KAFKA_BROKERS: '127.0.0.1:1', HTTP_THREADS: '2' }
/** The kernel shares connections out by chance: with so many, a thread that is never asked is one in a million. */
const connections = 20

/** Statuses of a request for liveness under each name, over separate connections to both threads. */
async function statusesFor(latchkey: LatchkeyProcess, hosts: readonly string[], headers = ''): Promise<number[][]> {
  const port = Number(new URL(await latchkey.listening()).port)
  const ask = async (host: string) => {
    const answer = await rawRequest(port, `GET /livez HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`)
    return Number(answer.slice(9, 12))
  }
  const all = hosts.map((host) => Promise.all(Array.from({ length: connections }, () => ask(host))))
  return (await Promise.all(all)).map((statuses) => [...new Set(statuses)])
}

test.each([
  ['nothing else', {}, [[421], [421], [200]]],
  ['SERVER_HOSTS', { SERVER_HOSTS: '*.example' }, [[200], [421], [200]]],
  ['SERVER_HOSTS for any', { SERVER_HOSTS: '*' }, [[200], [200], [200]]],
  ['a token', { SERVER_TOKEN: 'x'.repeat(32) }, [[200], [200], [200]]],
])('names of other machines are refused, and counted, by all threads with %s', async (_, more, statuses) => {
  const latchkey = await LatchkeyProcess.start({ settings: { ...settings, ...more } })
  try {
    const hosts = ['orders.example', 'evil.test', 'localhost']
    expect(await statusesFor(latchkey, hosts)).toEqual(statuses)
    expect(await statusesFor(latchkey, hosts, 'X: 1\r\nX: 2\r\n')).toEqual(statuses)
    if ('SERVER_TOKEN' in more) return
    const refused = 2 * connections * statuses.filter(([status]) => status === 421).length
    expect(await latchkey.metric('latchkey_hosts_refused_total')).toBe(refused)
    const lines = latchkey.stderr.split('\n').filter((line) => line.includes('Refused a request for its Host'))
    expect(lines).toHaveLength(refused > 0 ? 1 : 0)
  } finally {
    await latchkey.close()
  }
})
