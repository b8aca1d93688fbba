import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openNotifySocket } from '../../lib/linux/notify.ts'
import { DatagramSocket } from '../support/process/datagram-socket.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder('notify')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('openNotifySocket', () => {
  test.each(['path', 'abstract'])('sends datagrams to a socket with an address of kind %s', (kind) => {
    const path = kind === 'path' ? join(folder, 'socket') : `@${folder}/abstract`
    const socket = new DatagramSocket(path)
    const send = openNotifySocket(path)!
    expect(send('READY=1\nSTATUS=ä')).toBe(true)
    expect(send('STOPPING=1')).toBe(true)
    expect(socket.received()).toEqual(['READY=1\nSTATUS=ä', 'STOPPING=1'])
    socket.close()
  })

  test('a socket that has closed, or is full, is reported and does not block', () => {
    const path = join(folder, 'socket')
    const socket = new DatagramSocket(path)
    const send = openNotifySocket(path)!
    const sent = Array.from({ length: 10_000 }, () => send('STATUS=full'))
    expect(sent).toContain(false)
    socket.close()
    expect(send('READY=1')).toBe(false)
  })

  test.each(['', 'relative', 'vsock:2:1234', `/${'a'.repeat(200)}`])('%p is not such a socket', (path) => {
    expect(openNotifySocket(path)).toBeUndefined()
  })
})
