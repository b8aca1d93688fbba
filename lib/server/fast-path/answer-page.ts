/** Sends a response in one write if head and body fit into the page. */
import type { WriteBuffer } from './write-buffer.ts'

/** All responses share it: no response waits in it. */
const page = Buffer.alloc(65_536)

export function sendAnswer(writeBuffer: WriteBuffer, head: string, body: Uint8Array | undefined): void {
  const headLength = page.write(head, 'latin1')
  const length = headLength + (body?.length ?? 0)
  if (length <= page.length) {
    if (body) page.set(body, headLength)
    writeBuffer.sendFrom(page, length)
  } else {
    writeBuffer.sendFrom(page, headLength)
    if (body) writeBuffer.sendOwn(body)
  }
}
