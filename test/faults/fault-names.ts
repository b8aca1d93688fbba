/** Of brokers, of the store, of the network between them. */
export const brokerFaults = [
  'broker-kill',
  'broker-stop',
  'broker-silence',
  'unclean-changelog',
  'unclean-source',
  'move',
] as const
export const storeFaults = ['store-kill', 'store-silence'] as const
export const networkFaults = ['damage'] as const

export const faultNames = [...brokerFaults, ...storeFaults, ...networkFaults]

export type FaultName = (typeof faultNames)[number]
