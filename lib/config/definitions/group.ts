/** Settings for a group of instances that share the partitions of a store. */
import * as v from 'valibot'
import { peerUrl, trueOrFalse, wholeNumber } from '../values.ts'

const standbysMax = 3
const handoverSecondsMax = 3_600

export const groupDefinitions = {
  elastic: v.pipe(
    v.optional(trueOrFalse(), 'false'),
    v.metadata({
      variable: 'ELASTIC',
      meaning: 'Instances with the same STORE_ID share the partitions: each answers for all of them.',
      allowed: 'true or false',
      default: 'false',
      isSwitch: true,
    }),
  ),
  standbys: v.pipe(
    v.optional(wholeNumber(0, standbysMax), '1'),
    v.metadata({
      variable: 'STANDBYS',
      meaning:
        'Copies of each partition beside its primary, in other instances, with ELASTIC: one less than instances at most. Each takes memory. What the instance has that makes the plans counts, so set the same in all.',
      allowed: `a whole number from 0 to ${standbysMax}`,
      default: '1',
    }),
  ),
  advertisedUrl: v.pipe(
    v.optional(peerUrl()),
    v.metadata({
      variable: 'ADVERTISED_URL',
      meaning: 'Where the other instances reach this one, with ELASTIC.',
      allowed: 'an http or https URL, such as http://10.0.0.7:8080, without a query',
      default: 'SERVER_BIND if it is one address, else the local address of the connection to Kafka, and the port',
    }),
  ),
  routing: v.pipe(
    v.optional(v.picklist(['proxy', 'none']), 'proxy'),
    v.metadata({
      variable: 'ROUTING',
      meaning:
        'With ELASTIC, a lookup of a key that another instance holds: answered with what that one has (proxy), or with 421 and its URL (none). With none, walks, counts and feeds have what this instance holds, as without ELASTIC.',
      allowed: 'proxy or none',
      default: 'proxy',
    }),
  ),
  handoverSeconds: v.pipe(
    v.optional(wholeNumber(0, handoverSecondsMax), '20'),
    v.metadata({
      variable: 'HANDOVER_SECONDS',
      meaning: 'With ELASTIC, seconds at most that a stop waits until other instances have taken the partitions.',
      allowed: `a whole number from 0 to ${handoverSecondsMax}`,
      default: '20',
    }),
  ),
  peerCa: v.pipe(
    v.optional(v.string()),
    v.metadata({
      variable: 'PEER_CA',
      meaning: 'File with the certificates that other instances are trusted by, with ELASTIC and SERVER_TLS_CERT.',
      allowed: 'the path of a PEM file',
      default: 'those of the system',
    }),
  ),
}

/** Of an instance with ELASTIC. */
export interface GroupSettings {
  readonly standbys: number
  /** Undefined if it is found. */
  readonly advertisedUrl: string | undefined
  readonly routing: 'proxy' | 'none'
  readonly handoverSeconds: number
  /** PEM of the certificates that other instances are trusted by; undefined for those of the system. */
  readonly peerCa: string | undefined
}
