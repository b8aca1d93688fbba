/** What a client of subscriptions or tracking says, and what happens meanwhile, to compare servers byte for byte. */

export type Step =
  | { readonly send: readonly string[] }
  /** Another client writes; a source record does the same here. */
  | { readonly set: string }
  | { readonly delete: string }

export interface Conversation {
  readonly name: string
  readonly steps: readonly Step[]
}

const versions = ['2', '3']

function send(...words: string[]): Step {
  return { send: words }
}

/** Of one change and those after it: the key exists before a deletion. */
const changes: readonly Step[] = [{ set: 'a' }, { delete: 'a' }, { set: 'b' }, { delete: 'b' }]

const tracking = (...options: string[]) => send('CLIENT', 'TRACKING', 'ON', ...options)
const info = send('CLIENT', 'TRACKINGINFO')

const ofSubscriptions: readonly Conversation[] = versions.flatMap((version) => {
  const hello = send('HELLO', version)
  return [
    {
      name: `channels and patterns, RESP${version}`,
      steps: [
        hello,
        send('SUBSCRIBE', '__keyspace@0__:a', '__keyevent@0__:set', 'other'),
        ...changes,
        // Redis does not define the order of patterns that match the same channel.
        send('PSUBSCRIBE', '__keyspace@0__:[a-c]', '*:de?'),
        ...changes,
        send('UNSUBSCRIBE', 'other', 'none', '__keyspace@0__:a'),
        send('UNSUBSCRIBE'),
        send('UNSUBSCRIBE'),
        ...changes,
        send('PUNSUBSCRIBE', '*:de?'),
        send('PUNSUBSCRIBE'),
        send('PUNSUBSCRIBE'),
        ...changes,
        send('GET', 'a'),
      ],
    },
    {
      name: `commands of a subscriber, RESP${version}`,
      steps: [
        hello,
        send('SUBSCRIBE'),
        send('SUBSCRIBE', 'x'),
        send('PING'),
        send('PING', 'y'),
        send('PING', 'y', 'z'),
        send('GET', 'a'),
        send('GET'),
        send('ECHO', 'y'),
        send('CLIENT', 'GETNAME'),
        send('CONFIG', 'GET', 'save'),
        send('NONE'),
        send('RESET'),
        send('GET', 'a'),
        send('PING'),
        send('SUBSCRIBE', 'x'),
        send('QUIT'),
      ],
    },
  ]
})

/** Only in RESP3: Redis accepts tracking in RESP2, and sends nothing. */
const ofTracking: readonly Conversation[] = [
  {
    name: 'the default mode',
    steps: [
      info,
      send('CLIENT', 'GETREDIR'),
      tracking(),
      info,
      send('CLIENT', 'GETREDIR'),
      send('GET', 'a'),
      ...changes,
      send('MGET', 'a', 'none'),
      { set: 'a' },
      { set: 'a' },
      send('EXISTS', 'a', 'b'),
      { delete: 'a' },
      send('STRLEN', 'a'),
      { set: 'a' },
      send('GETRANGE', 'a', '0', '1'),
      { delete: 'a' },
      send('TYPE', 'a'),
      { set: 'a' },
      send('TTL', 'a'),
      { delete: 'a' },
      send('CLIENT', 'TRACKING', 'OFF'),
      info,
      send('GET', 'a'),
      { set: 'a' },
    ],
  },
  {
    name: 'OPTIN and OPTOUT',
    steps: [
      tracking('OPTIN'),
      send('GET', 'a'),
      { set: 'a' },
      send('CLIENT', 'CACHING', 'NO'),
      send('CLIENT', 'CACHING', 'YES'),
      info,
      send('GET', 'a'),
      info,
      send('GET', 'b'),
      { set: 'a' },
      { set: 'b' },
      send('CLIENT', 'CACHING', 'YES'),
      send('PING'),
      send('GET', 'a'),
      { set: 'a' },
      tracking('OPTOUT'),
      send('CLIENT', 'TRACKING', 'OFF'),
      tracking('OPTOUT', 'NOLOOP'),
      send('CLIENT', 'CACHING', 'YES'),
      send('CLIENT', 'CACHING', 'NO'),
      info,
      send('GET', 'a'),
      send('GET', 'b'),
      { set: 'a' },
      { set: 'b' },
      send('RESET'),
      info,
    ],
  },
  {
    name: 'broadcast mode',
    steps: [
      tracking('BCAST', 'PREFIX', 'a', 'PREFIX', 'x'),
      info,
      ...changes,
      tracking('BCAST', 'PREFIX', 'ab'),
      tracking('BCAST', 'PREFIX', 'y', 'PREFIX', 'yz'),
      tracking('BCAST', 'PREFIX', 'b'),
      info,
      ...changes,
      tracking(),
      send('CLIENT', 'CACHING', 'YES'),
      send('CLIENT', 'TRACKING', 'OFF'),
      tracking('BCAST'),
      info,
      ...changes,
    ],
  },
  {
    name: 'refusals',
    steps: [
      send('CLIENT', 'TRACKING'),
      send('CLIENT', 'TRACKING', 'MAYBE'),
      send('CLIENT', 'CACHING', 'YES'),
      send('CLIENT', 'CACHING'),
      send('CLIENT', 'GETREDIR', 'x'),
      send('CLIENT', 'TRACKINGINFO', 'x'),
      tracking('NONE'),
      tracking('PREFIX'),
      tracking('PREFIX', 'a'),
      tracking('REDIRECT', 'x'),
      tracking('OPTIN', 'OPTOUT'),
      tracking('BCAST', 'OPTIN'),
      tracking(),
      send('CLIENT', 'CACHING', 'MAYBE'),
      tracking('OPTIN'),
      tracking('NOLOOP'),
      info,
    ],
  },
].map(({ name, steps }) => ({ name: `tracking: ${name}`, steps: [send('HELLO', '3'), ...steps] }))

export const conversations: readonly Conversation[] = [...ofSubscriptions, ...ofTracking]
