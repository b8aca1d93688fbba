/** By API key, as in kafkajs. */
export type BrokerVersions = Record<number, { minVersion: number; maxVersion: number }>

export interface RequestVersion {
  apiKey: number
  apiVersion: number
  apiName: string
}
