/** Turns the texts of the settings for client properties into the configuration of the three clients. */
import {
  type ClientName,
  type ClientsConfig,
  clientTitles,
  type ConnectionConfig,
} from '../../store-protocol/client-config.ts'
import { nearName } from '../../text/did-you-mean.ts'
import { quote } from '../quote.ts'
import { connectionProperties } from './connection-properties.ts'
import { defaultProperties } from './defaults.ts'
import { fetchProperties } from './fetch-properties.ts'
import { type GivenProperty, parseProperties } from './parse.ts'
import { codecs, produceProperties } from './produce-properties.ts'
import type { Property } from './property.ts'
import { securityProperties } from './security-properties.ts'
import { saslOf, tlsOf } from './tls.ts'
import { refusalOf, withoutEffect } from './without-effect.ts'

export const properties: readonly Property[] = [
  ...connectionProperties,
  ...securityProperties,
  ...fetchProperties,
  ...produceProperties,
]

const byName = new Map(properties.flatMap((one) => [one.name, ...one.aliases].map((name) => [name, one] as const)))
const knownNames = [...byName.keys(), ...withoutEffect.keys()]

export interface PropertiesText {
  /** Such as `KAFKA_PROPERTIES`, for messages. */
  variable: string
  clients: readonly ClientName[]
  text: string
  byLine: boolean
}

export interface ClientProperties {
  clients: ClientsConfig
  /** Each names its setting. None shows a secret. */
  faults: string[]
  notices: string[]
}

/** @param texts shared settings first: a setting of one client overrides them */
export function readClientProperties(texts: readonly PropertiesText[]): ClientProperties {
  const reading = new PropertiesReader()
  for (const text of texts) reading.add(text)
  return reading.finish()
}

class PropertiesReader {
  readonly #drafts = {
    consumer: defaultProperties('consumer'),
    producer: defaultProperties('producer'),
    changelog: defaultProperties('changelog'),
  }
  /** For each client: property to the setting that gave it. */
  readonly #givenBy = {
    consumer: new Map<string, string>(),
    producer: new Map<string, string>(),
    changelog: new Map<string, string>(),
  }
  readonly #faults = new Set<string>()
  readonly #notices = new Set<string>()

  add({ variable, clients, text, byLine }: PropertiesText): void {
    const { given, faults } = parseProperties(text, byLine)
    for (const fault of faults) this.#faults.add(`${variable}: ${fault}`)
    const seen = new Set<string>()
    let before: Property | undefined
    for (const one of given) {
      const property = byName.get(one.name)
      const name = property?.name ?? one.name
      if (property === undefined) this.#addUnknown(variable, one, before)
      else if (seen.has(name)) this.#faults.add(`${variable}: ${name} is given twice`)
      else this.#set(variable, clients, property, one)
      seen.add(name)
      before = property
    }
  }

  finish(): ClientProperties {
    const { consumer, producer, changelog } = this.#drafts
    const clients: ClientsConfig = {
      consumer: { connection: this.#connection('consumer'), fetch: consumer.fetch, ...consumer.source },
      producer: { connection: this.#connection('producer'), produce: producer.produce },
      changelog: { connection: this.#connection('changelog'), fetch: changelog.fetch },
    }
    this.#checkFetch('consumer')
    this.#checkFetch('changelog')
    this.#checkProduce()
    return { clients: deepFreeze(clients), faults: [...this.#faults], notices: [...this.#notices] }
  }

  #set(variable: string, clients: readonly ClientName[], property: Property, { name, value }: GivenProperty): void {
    const concerned = property.clients.filter((client) => clients.includes(client))
    if (concerned.length === 0) {
      const meant = property.clients.map((client) => clientTitles[client]).join(' and the ')
      this.#notices.add(`${variable}: ${name} is ignored: it is a property of the ${meant}`)
    }
    for (const client of concerned) {
      try {
        const notice = property.set(this.#drafts[client], value)
        this.#givenBy[client].set(property.name, variable)
        if (notice !== undefined) this.#notices.add(`${variable}: with ${name}=${value.trim()}, ${notice}`)
      } catch (fault) {
        if (!(fault instanceof RangeError)) throw fault
        const shown = property.isSecret ? name : `${name}=${quote(value)}`
        this.#faults.add(`${variable}: ${shown}: it must be ${fault.message}`)
      }
    }
  }

  #addUnknown(variable: string, { name, place }: GivenProperty, before: Property | undefined): void {
    const reason = withoutEffect.get(name)
    const instead = refusalOf(name)
    if (reason !== undefined) this.#notices.add(`${variable}: ${name} has no effect: ${reason}`)
    else if (instead !== undefined) this.#faults.add(`${variable}: ${name}: ${instead}`)
    else if (before?.isSecret) {
      // The item may be the rest of the secret.
      this.#faults.add(
        `${variable}: item ${place}, after ${before.name}, is not a property; a comma inside a value is written \\,`,
      )
    } else {
      const near = nearName(name, knownNames)
      this.#faults.add(
        `${variable}: ${quote(name)} is not a property${near ? `: did you mean ${near}?` : ' of librdkafka; correct or remove it'}`,
      )
    }
  }

  #connection(client: ClientName): ConnectionConfig {
    const { connection, security } = this.#drafts[client]
    const blamed = this.#blamed(client, (name) => /^(security|sasl|ssl|enable\.ssl)\./.test(name))
    const findings = {
      fault: (text: string) => void this.#faults.add(`${blamed}: ${text}`),
      notice: (text: string) => void this.#notices.add(`${blamed}: ${text}`),
    }
    return { ...connection, tls: tlsOf(security, findings), sasl: saslOf(security, findings) }
  }

  #checkFetch(client: ClientName): void {
    const { connection, fetch } = this.#drafts[client]
    if (connection.receiveBytesMax >= fetch.maxBytes + responseOverheadBytes) return
    const blamed = this.#blamed(client, (name) => name === 'receive.message.max.bytes' || name === 'fetch.max.bytes')
    const found = `receive.message.max.bytes=${connection.receiveBytesMax} must be ${responseOverheadBytes} more than fetch.max.bytes=${fetch.maxBytes}, or greater`
    this.#faults.add(`${blamed}: ${found}`)
  }

  #checkProduce(): void {
    const { acks, isIdempotent, compression, compressionLevel } = this.#drafts.producer.produce
    const given = this.#givenBy.producer
    if (acks !== -1 && isIdempotent && given.has('enable.idempotence')) {
      this.#faults.add(`${given.get('enable.idempotence')}: enable.idempotence=true needs acks=all`)
    }
    if (compressionLevel === null || levels[compression]!(compressionLevel)) return
    const found = `compression.level=${compressionLevel} has no effect with compression.type=${codecNames[compression]}`
    this.#notices.add(`${given.get('compression.level')}: ${found}`)
  }

  /** Returns the setting that gave the last of the properties in question to a client. */
  #blamed(client: ClientName, concerns: (name: string) => boolean): string {
    return [...this.#givenBy[client]].findLast(([name]) => concerns(name))?.[1] ?? 'KAFKA_PROPERTIES'
  }
}

const codecNames = Object.keys(codecs)
/** Bytes that librdkafka requires in addition to the records of a response. */
const responseOverheadBytes = 512
/** Whether a codec has a level, indexed by the codec's number. */
const levels: readonly ((level: number) => boolean)[] = [
  () => false,
  (level) => level <= 9,
  () => false,
  () => false,
  (level) => level >= 1,
]

/** Returns the configuration of the clients if no property is set. */
export function defaultClients(): ClientsConfig {
  return readClientProperties([]).clients
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member)
  return Object.freeze(value)
}
