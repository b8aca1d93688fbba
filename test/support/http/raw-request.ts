/** Requests that no client library would send. */
import { openPlainSocket, type OpenSocket } from './connect.ts'

/** Sends bytes as they are and returns all that is received until the server closes or `isEnd` holds for it. */
export function rawRequest(
  port: number,
  request: string | Uint8Array,
  isEnd: (answer: string) => boolean = hasWholeBody,
  openSocket: OpenSocket = openPlainSocket,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = openSocket(port, () => socket.write(request))
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      answer += String(chunk)
      if (isEnd(answer)) socket.destroy()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

/** The end of an answer without a body, such as one to HEAD. */
export function hasHead(answer: string): boolean {
  return answer.includes('\r\n\r\n')
}

function hasWholeBody(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const length = /^content-length: (\d+)/im.exec(answer.slice(0, headEnd))?.[1]
  return answer.length >= headEnd + 4 + Number(length ?? 0)
}
