/** Pushes, and the replies to the commands that cause them, are those of Redis's own server, byte for byte. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { conversations, type Step } from '../support/resp/conversations.ts'
import { command } from '../support/resp/replies.ts'
import { serveResp } from '../support/resp/serve-resp.ts'
import { soon, until } from '../support/until.ts'

/** A server to be compared. */
interface Server {
  /** A port, or the path of a socket. */
  readonly at: number | string
  /** Another client stores a value, or deletes the key. Resolves when that was pushed. */
  change(key: string, isDeletion: boolean): Promise<void>
}

const path = join(temporaryFolder('redis-server'), 'socket')
let redis: Bun.Subprocess

beforeAll(async () => {
  const settings = ['--port', '0', '--unixsocket', path, '--save', '', '--notify-keyspace-events', 'KEA']
  redis = Bun.spawn(['redis-server', ...settings], { stdout: 'ignore', stderr: 'ignore' })
  await until('redis-server listens', () => existsSync(path))
})
afterAll(async () => {
  redis.kill()
  await redis.exited
})

class Client {
  #received = ''
  #isClosed = false
  readonly #socket: ReturnType<typeof connect>

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket
    socket.on('data', (bytes) => void (this.#received += bytes.toString('latin1')))
    socket.on('close', () => void (this.#isClosed = true))
  }

  static async open(at: number | string): Promise<Client> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = typeof at === 'string' ? connect(at) : connect(at, '127.0.0.1')
    socket.once('connect', resolve).once('error', reject)
    await soon('a connection', promise)
    return new Client(socket)
  }

  send(words: readonly string[]): void {
    this.#socket.write(command(...words))
  }

  /** Waits until everything was answered. PING is answered in each state of a connection. */
  async answered(marker: string): Promise<void> {
    this.send(['PING', marker])
    await until('it is answered', () => this.#isClosed || this.#received.includes(`${marker}\r\n`))
  }

  async ended(): Promise<void> {
    await until('the server closes', () => this.#isClosed)
  }

  /** Returns what has come since the last call. */
  take(): string {
    const received = this.#received
    this.#received = ''
    return received
  }

  close(): void {
    this.#socket.destroy()
  }
}

async function play(steps: readonly Step[], { at, change }: Server): Promise<string[]> {
  const client = await Client.open(at)
  const parts: string[] = []
  for (const [index, step] of steps.entries()) {
    if ('send' in step) {
      client.send(step.send)
      // Its reply names the version of the server. CLIENT CACHING is of the very next command.
      if (step.send[0] !== 'HELLO') continue
      await client.answered(`marker ${index}`)
      client.take()
      continue
    }
    await client.answered(`before ${index}`)
    parts.push(client.take())
    await ('set' in step ? change(step.set, false) : change(step.delete, true))
    await client.answered(`after ${index}`)
    parts.push(`${JSON.stringify(step)}: ${client.take()}`)
  }
  const last = steps.at(-1)
  // The server resets a connection that it has closed, if more comes: the answers that the client has not read are lost.
  if (last !== undefined && 'send' in last && last.send[0] === 'QUIT') await client.ended()
  else await client.answered('the end')
  client.close()
  return [...parts, client.take()]
}

async function overRedis(steps: readonly Step[]): Promise<string[]> {
  const writer = await Client.open(path)
  writer.send(['FLUSHALL'])
  await writer.answered('flushed')
  let writes = 0
  const change = async (key: string, isDeletion: boolean) => {
    writer.send(isDeletion ? ['DEL', key] : ['SET', key, 'x'])
    await writer.answered(`write ${writes++}`)
  }
  const answers = await play(steps, { at: path, change })
  writer.close()
  return answers
}

async function overLatchkey(steps: readonly Step[]): Promise<string[]> {
  await using served = serveResp()
  const change = async (key: string, isDeletion: boolean) => {
    served.store.change(key, isDeletion ? undefined : 'x')
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return await play(steps, { at: served.port, change })
}

test.each(conversations)('$name', async ({ steps }) => {
  const expected = await overRedis(steps)
  expect(expected.join('').length).toBeGreaterThan(200)
  expect(await overLatchkey(steps)).toEqual(expected)
})
