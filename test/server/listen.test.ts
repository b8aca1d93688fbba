import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { createRequestHandler } from '../../lib/http/handler.ts'
import { listen } from '../../lib/server/listen.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { FakeStore, serveFake } from '../support/http/fake-store.ts'
import { rawRequest } from '../support/http/raw-request.ts'
import { modes } from '../support/http/transports.ts'
import { until } from '../support/until.ts'

describe.each(modes)('listen %s', (_mode, hasFastPath) => {
  test.each([
    ['0.0.0.0', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost'],
  ])('the URL can be opened when it listens at %s', async (bind, host) => {
    await using served = serveFake({ bind, hasFastPath })
    expect(served.url).toBe(`http://${host}:${served.server.port}`)
    expect((await fetch(`${served.url}/livez`)).status).toBe(200)
  })

  test('the error names the port when it is in use', async () => {
    await using served = serveFake({ hasFastPath })
    const options = { bind: '127.0.0.1', port: served.server.port, hasFastPath }
    expect(() => listen(createRequestHandler(new FakeStore()), options)).toThrow(LatchkeyError)
    expect(() => listen(createRequestHandler(new FakeStore()), options)).toThrow(
      `Listening at 127.0.0.1 port ${served.server.port}: the port is in use`,
    )
  })
})

describe.each(modes)('stop %s', (_mode, hasFastPath) => {
  test('requests under way are answered and new connections refused when it drains', async () => {
    const { store, server, url } = serveFake({ hasFastPath })
    const found = Promise.withResolvers<Lookup | undefined>()
    const asked = Promise.withResolvers<void>()
    store.onGet = () => {
      asked.resolve()
      return found.promise
    }
    const pending = fetch(`${url}/stores/orders/a`)
    await asked.promise
    const stopped = server.stop(60_000)
    const isRefused = () =>
      fetch(`${url}/livez`).then(
        () => false,
        () => true,
      )
    await until('new connections are refused', isRefused)
    found.resolve({ value: new Uint8Array([0x31]), partition: 0, offset: 0, timestamp: 0 })
    expect(await (await pending).text()).toBe('1')
    await stopped
  })

  test('a keep-alive connection is answered once more, with Connection: close, when it drains', async () => {
    const { server } = serveFake({ hasFastPath })
    const request = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'
    const answers: string[] = []
    let answered = Promise.withResolvers<void>()
    const socket = await Bun.connect({
      hostname: '127.0.0.1',
      port: server.port,
      socket: {
        data(_, chunk) {
          answers.push(chunk.toString())
          answered.resolve()
        },
        close: () => answered.resolve(),
      },
    })
    socket.write(request)
    await answered.promise
    answered = Promise.withResolvers()
    const stopped = server.stop(5_000)
    socket.write(request)
    await answered.promise
    await stopped
    expect(answers.map((answer) => /connection: close/i.test(answer))).toEqual([false, true])
  })

  test('a client that has connected, but is not accepted yet, is answered when it drains', async () => {
    const { server } = serveFake({ hasFastPath })
    const client = Bun.spawn(
      [process.execPath, `${import.meta.dir}/../support/server/late-clients.ts`, String(server.port)],
      {
        stdin: 'pipe',
        stdout: 'pipe',
      },
    )
    const said = client.stdout.getReader()
    await said.read()
    const stopped = server.stop(5_000)
    void client.stdin.write('connect\n')
    void client.stdin.flush()
    // Nothing is accepted by this thread meanwhile; and when it wakes, it is time to close the listener.
    Bun.sleepSync(500)
    const answers = await said.read()
    await stopped
    expect(new TextDecoder().decode(answers.value)).toBe('200 200 200 200 200')
  })

  test('requests under way are terminated at the time limit', async () => {
    const { store, server, url } = serveFake({ hasFastPath })
    const asked = Promise.withResolvers<void>()
    store.onGet = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    const pending = fetch(`${url}/stores/orders/a`).then(
      () => 'answered',
      () => 'cut',
    )
    await asked.promise
    await server.stop(1)
    expect(await pending).toBe('cut')
  })

  test('idle keep-alive connections do not delay it', async () => {
    const { server } = serveFake({ hasFastPath })
    let onAnswer = () => {}
    const answered = new Promise<void>((resolve) => (onAnswer = resolve))
    const closed = rawRequest(server.port, 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n', (answer) => {
      if (answer.endsWith('alive\n')) onAnswer()
      return false
    })
    await answered
    await server.stop(60_000)
    expect(await closed).toEndWith('alive\n')
  })
})
