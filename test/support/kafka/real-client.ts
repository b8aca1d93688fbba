import { KafkaClient } from '../../../lib/kafka/client.ts'
import { sharedKafka } from './index.ts'

/** A KafkaClient of the shared broker. Close it in the test that asked for it. */
export async function realClient(...seedsBefore: string[]): Promise<KafkaClient> {
  const { bootstrap } = await sharedKafka()
  return new KafkaClient({
    subject: 'test',
    brokers: [...seedsBefore.map(toAddress), ...toAddresses(bootstrap)],
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
  })
}

export function toAddress(bootstrap: string): { host: string; port: number } {
  const [host = '', port] = bootstrap.split(':')
  return { host, port: Number(port) }
}

/** Of a list that is separated by commas. */
export function toAddresses(bootstrap: string): { host: string; port: number }[] {
  return bootstrap.split(',').map(toAddress)
}
