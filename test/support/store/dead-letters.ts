/** A store whose bad records go to a separate topic. */
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { localPort } from '../binary/latchkey-process.ts'
import { api, readProduceRequest } from '../fault-run/wire.ts'
import type { KafkaBroker } from '../kafka/index.ts'
import type { Fixture } from './fixture.ts'

export const timestamp = 1_700_000_000_000
/** A record that no store takes. */
export const badRecord = {
  key: null,
  value: 'no key',
  timestamp: String(timestamp),
  headers: { trace: '7f', src: 'theirs' },
}

export function deadLetterTopicOf(fixture: Fixture): string {
  return `${fixture.source}-bad`
}

export function deadLetterSettings(fixture: Fixture, settings: Partial<StoreConfig> = {}): Partial<StoreConfig> {
  return { onBadRecord: 'dead-letter', deadLetterTopic: deadLetterTopicOf(fixture), ...settings }
}

/** Of the executable, through the proxy. */
export function settingsOf(broker: KafkaBroker, fixture: Fixture): Record<string, string> {
  return {
    SOURCE_TOPIC: fixture.source,
    KAFKA_BROKERS: broker.bootstrap,
    ON_BAD_RECORD: 'dead-letter',
    DEAD_LETTER_TOPIC: deadLetterTopicOf(fixture),
    ...localPort,
  }
}

/** Calls with each Produce request to a topic. */
export function onProduceTo(
  broker: KafkaBroker,
  topic: string,
  act: () => 'drop' | 'cut' | undefined | Promise<undefined>,
): void {
  broker.proxy!.onRequest = ({ apiKey, frame }) => {
    if (apiKey !== api.produce || readProduceRequest(frame).topic !== topic) return undefined
    return act()
  }
}
