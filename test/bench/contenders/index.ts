import { type Contender, MissingToolchain } from './contender.ts'
import { kafkajsMap } from './kafkajs-map.ts'
import { latchkey } from './latchkey.ts'
import { streams } from './streams.ts'
import { streex } from './streex.ts'

export type { Contender, RunningStore, StoreSettings } from './contender.ts'

export const contenderNames = ['latchkey', 'streex', 'streams', 'kafkajs'] as const
export type ContenderName = (typeof contenderNames)[number]

export interface Contenders {
  ready: Contender[]
  /** Those that cannot be built here, each with the reason. */
  leftOut: { name: ContenderName; reason: string }[]
}

export async function prepareContenders(names: readonly ContenderName[], binary?: string): Promise<Contenders> {
  const prepare: Record<ContenderName, () => Promise<Contender>> = {
    latchkey: () => latchkey(binary),
    streex,
    streams,
    kafkajs: kafkajsMap,
  }
  const contenders: Contenders = { ready: [], leftOut: [] }
  for (const name of names) {
    try {
      contenders.ready.push(await prepare[name]())
    } catch (error) {
      if (!(error instanceof MissingToolchain)) throw error
      contenders.leftOut.push({ name, reason: error.message })
    }
  }
  return contenders
}
