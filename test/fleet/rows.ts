import type { Row } from './row.ts'
import { chaos } from './rows/chaos.ts'
import { coldStart } from './rows/cold-start.ts'
import { growth } from './rows/growth.ts'
import { hostDeaths } from './rows/host-deaths.ts'
import { kafkaAway } from './rows/kafka-away.ts'
import { kills } from './rows/kills.ts'
import { migration } from './rows/migration.ts'
import { misfits, strangers } from './rows/misfits.ts'
import { pauses } from './rows/pauses.ts'
import { restarts } from './rows/restarts.ts'
import { room } from './rows/room.ts'
import { scale } from './rows/scale.ts'
import { threeBrokers } from './rows/three-brokers.ts'
import { smallFleet } from './small.ts'

interface Entry {
  title: string
  play: (row: Row) => Promise<void>
}

export const rows: ReadonlyMap<number, Entry> = new Map([
  [0, { title: 'the small fleet of the suite', play: small }],
  [1, { title: 'one instance, three, one', play: scale }],
  [2, { title: 'rolling restart', play: restarts }],
  [3, { title: 'kill -9', play: kills }],
  [4, { title: 'host death', play: hostDeaths }],
  [5, { title: 'SIGSTOP', play: pauses }],
  [6, { title: 'three brokers', play: threeBrokers }],
  [7, { title: 'Kafka away', play: kafkaAway }],
  [8, { title: 'chaos', play: chaos }],
  [9, { title: 'cold start', play: coldStart }],
  [14, { title: 'instances that do not fit', play: misfits }],
  [15, { title: 'strangers', play: strangers }],
  [16, { title: 'a topic that grows, and keys that are placed otherwise', play: growth }],
  [17, { title: 'from partitions by hand to a group', play: migration }],
  [19, { title: 'room', play: room }],
])

async function small(row: Row): Promise<void> {
  const { executable } = row.options
  row.missed.push(...(await smallFleet(row.random, { say: (line) => row.say(line), executable })))
}
