/** Error text for a required setting that is missing, with an example that can be copied. */
import type { Flags } from './flags.ts'
import { metadataOf, type SettingKey } from './settings.ts'

/** An example for each setting that can be required. */
const examples: Partial<Record<SettingKey, string>> = {
  sourceTopic: 'orders',
  kafkaBrokers: 'localhost:9092',
  storeId: 'orders',
  changelogTopic: 'orders-changelog',
  deadLetterTopic: 'orders-bad-records',
  protoFile: 'orders/v1/order.proto',
  keyMessage: 'orders.v1.OrderKey',
  valueMessage: 'orders.v1.Order',
  storeMessage: 'orders.v1.StoredOrder',
  keySchemaFile: 'order-key.avsc',
  valueSchemaFile: 'order.avsc',
  storeSchemaFile: 'stored-order.avsc',
  schemaRegistryUrl: 'https://registry.example:8081',
  serverTlsCert: 'server.crt',
  serverTlsKey: 'server.key',
}

/** @param why why it is required, or what it must be */
export function missingFault(key: SettingKey, why: string): string {
  const { variable } = metadataOf(key)
  const example = examples[key]
  return `${variable} is missing: ${why}${example === undefined ? '' : `, for example ${variable}=${example}`}`
}

/** The env file that could not be read may have what is missing. One mistake is reported as one error. */
export function reportedOf({ faults, isEnvFileUnread }: Pick<Flags, 'faults' | 'isEnvFileUnread'>): string[] {
  return isEnvFileUnread ? faults.filter((fault) => !isMissingFault(fault)) : faults
}

/** Whether an error comes from missingFault(). */
function isMissingFault(fault: string): boolean {
  return /^[A-Z_]+ is missing: /.test(fault)
}
