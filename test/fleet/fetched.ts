/** Bytes that answers to Fetch had, on their way through a proxy, and bytes that a topic has. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { TcpProxy } from '../support/kafka/index.ts'

const fetchApi = 1

export class Fetched {
  bytes = 0

  /** From now on. A watcher of before is asked for its verdict, too. */
  constructor(proxy: TcpProxy) {
    const { onResponse } = proxy
    proxy.onResponse = (response) => {
      if (response.request?.apiKey === fetchApi) this.bytes += response.frame.length
      return onResponse?.(response)
    }
  }
}

/** Of all its partitions, in the folder of a broker's logs. */
export function topicBytes(logDir: string, topic: string): number {
  const folders = readdirSync(logDir).filter(
    (name) => name.startsWith(`${topic}-`) && /^\d+$/.test(name.slice(topic.length + 1)),
  )
  const files = folders.flatMap((folder) => readdirSync(join(logDir, folder)).map((name) => join(logDir, folder, name)))
  return files.filter((file) => file.endsWith('.log')).reduce((sum, file) => sum + statSync(file).size, 0)
}
