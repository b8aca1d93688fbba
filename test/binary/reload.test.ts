/** SIGHUP, as the user of the executable sees it: all threads, all protocols. */
import { expect, test } from 'bun:test'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { FeedClient } from '../support/http/feed-client.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { DatagramSocket } from '../support/process/datagram-socket.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const threads = 3
/** So many connections that the kernel gives some to each thread. */
const clients = 24

test('SIGHUP replaces the token and the log level in all threads', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('reload'), { partitions: 2 })
  const folder = temporaryFolder('reload')
  const socket = new DatagramSocket(join(folder, 'socket'))
  const write = (token: string, level: string) => {
    writeFileSync(join(folder, 'new'), `${token}\n`)
    renameSync(join(folder, 'new'), join(folder, 'token'))
    writeFileSync(join(folder, '.env'), `LOG_LEVEL=${level}\n`)
  }
  write('the-former-token', 'info')
  const settings = {
    ...localPort,
    SOURCE_TOPIC: topic,
    KAFKA_BROKERS: broker.bootstrap,
    SERVER_TOKEN_FILE: join(folder, 'token'),
    NOTIFY_SOCKET: join(folder, 'socket'),
    HTTP_THREADS: String(threads),
    STORE_THREADS: '2',
    RESP_PORT: '0',
  }
  const latchkey = await LatchkeyProcess.start({ settings, cwd: folder })
  try {
    // These come before the server is there, and while the threads start.
    await latchkey.until('it runs', () => latchkey.stdout !== '' || latchkey.stderr !== '')
    for (let count = 0; count < 20; count++) latchkey.signal('SIGHUP')
    await latchkey.until('it is ready', () => socket.received().some((message) => message.includes('READY=1')))
    const url = await latchkey.listening()
    const former = { authorization: 'Bearer the-former-token' }
    const latter = { authorization: 'Bearer the-latter-token' }
    const follow = () => FeedClient.open(`${url}/changes/${topic}`, former)
    const feeds = await Promise.all(Array.from({ length: clients }, follow))
    expect(feeds.every(({ response }) => response.status === 200)).toBe(true)
    const redis = Array.from({ length: clients }, () => redisClient(latchkey.redisPort!, 'the-former-token'))
    await latchkey.until('all have authenticated', () => redis.every(({ text }) => text === '+OK\r\n'))

    write('the-latter-token', 'debug')
    latchkey.signal('SIGHUP')
    await latchkey.until('streams end', () => feeds.every(({ end }) => end === 'whole'))
    await latchkey.until('clients of Redis are disconnected', () => redis.every(({ isClosed }) => isClosed))
    // A new connection each, which any thread may get.
    const statuses = async (headers: Record<string, string>) => {
      const ask = () => fetch(`${url}/metrics`, { headers: { ...headers, connection: 'close' } })
      return new Set((await Promise.all(Array.from({ length: clients }, ask))).map(({ status }) => status))
    }
    expect(await statuses(former)).toEqual(new Set([401]))
    expect(await statuses(latter)).toEqual(new Set([200]))
    // A store thread, and the main one or another.
    await latchkey.until('a store thread logs debug', () => /debug +(kafka|store) /.test(latchkey.stderr))
    await latchkey.until('HTTP logs debug', () => /debug +http /.test(latchkey.stderr))
    expect(latchkey.stderr).toContain('Another token is required now')
    expect(latchkey.stderr).toContain('Log level info changed to debug')
    expect(latchkey.stderr).not.toContain('the-latter-token')
    const reports = socket.received().join('\n')
    expect(reports).toMatch(/RELOADING=1\nMONOTONIC_USEC=\d+\nREADY=1/)

    latchkey.signal('SIGTERM')
    for (let count = 0; count < 20; count++) latchkey.signal('SIGHUP')
    expect(await latchkey.exited).toBe(0)
  } finally {
    await latchkey.close()
    socket.close()
    rmSync(folder, { recursive: true })
  }
})

test('SIGHUP replaces the log level in the group thread, too', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('reload-group'), { partitions: 2 })
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, ELASTIC: 'true' }
  const latchkey = await LatchkeyProcess.start({ settings })
  const members = [latchkey]
  try {
    await latchkey.until('it is ready', () => latchkey.isReady())
    writeFileSync(join(latchkey.folder, '.env'), 'LOG_LEVEL=debug\n')
    latchkey.signal('SIGHUP')
    await latchkey.until('the level has changed', () => latchkey.stderr.includes('Log level info changed to debug'))
    members.push(await LatchkeyProcess.start({ settings }))
    await latchkey.until('it logs the next plan', () => /debug +group +Group .* generation/.test(latchkey.stderr))
  } finally {
    for (const member of members) await member.close()
  }
})

function redisClient(port: number, token: string) {
  const client = { text: '', isClosed: false }
  const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH ${token}\r\n`))
  socket.on('data', (bytes) => (client.text += bytes.toString()))
  socket.on('close', () => (client.isClosed = true))
  return client
}
