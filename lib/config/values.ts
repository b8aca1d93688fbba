/** The types of setting values: each checks a text and turns it into the value that the program uses. */
import * as v from 'valibot'
import { logLevels } from '../log/level.ts'
import type { BrokerAddress } from '../store-protocol/client-config.ts'
import { reservedHeaders } from '../store-protocol/kept-headers.ts'
import { isUnspecifiedHost } from '../text/loopback.ts'
import { parseBrokerList } from './broker-list.ts'

export const topicLengthMax = 249
export const tokenLengthMax = 4_096

export function topicName() {
  return v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9._-]+$/),
    v.maxLength(topicLengthMax),
    v.check((name) => name !== '.' && name !== '..'),
  )
}

export function wholeNumber(min: number, max: number) {
  return v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number), v.minValue(min), v.maxValue(max))
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** `2G` or `2147483648` to bytes. */
export function byteSize(min: number, max: number) {
  const size = /^(\d{1,15})([KMGT]?)$/i
  return v.pipe(
    v.string(),
    v.regex(size),
    v.transform((text) => {
      const [, digits, unit = ''] = size.exec(text)!
      return Number(digits) * unitBytes[unit.toUpperCase()]!
    }),
    v.minValue(min),
    v.maxValue(max),
  )
}

export function decimalNumber(min: number, max: number) {
  const decimal = /^(\d{1,9}(\.\d{1,9})?|\.\d{1,9})$/
  return v.pipe(v.string(), v.regex(decimal), v.transform(Number), v.minValue(min), v.maxValue(max))
}

const pathLengthMax = 4_096

/** A path is taken as it is given: relative to the working directory. */
export function directoryPath() {
  return v.pipe(
    v.string(),
    v.nonEmpty(),
    v.maxLength(pathLengthMax),
    v.check((path) => !path.includes('\0')),
  )
}

/** Words that a switch accepts, case-insensitive. */
export const switchWords: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
])

export function trueOrFalse() {
  return v.pipe(
    v.string(),
    v.transform((text) => text.toLowerCase()),
    v.check((word) => switchWords.has(word)),
    v.transform((word) => switchWords.get(word)!),
  )
}

/** Lowest level that is logged. `warn` is accepted for `warning`. */
export function logLevel() {
  return v.pipe(
    v.string(),
    v.transform((text) => text.toLowerCase().replace(/^warn$/, 'warning')),
    v.picklist(logLevels),
  )
}

/** Address or name to listen at, without the brackets of an IPv6 address. */
export function listenAddress() {
  return v.pipe(
    v.string(),
    v.regex(/^(\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+|[A-Za-z0-9._-]+)$/),
    v.transform((text) => text.replace(/^\[|\]$/g, '')),
  )
}

export function brokerList() {
  return v.pipe(
    v.string(),
    v.rawTransform<string, readonly BrokerAddress[]>(({ dataset, addIssue, NEVER }) => {
      try {
        return Object.freeze(parseBrokerList(dataset.value))
      } catch (fault) {
        addIssue({ message: (fault as RangeError).message })
        return NEVER
      }
    }),
  )
}

/** `0-3,7` to [0, 1, 2, 3, 7]; empty text to []. Numbers have at most five digits, which bounds the list. */
export function partitionList() {
  return v.pipe(
    v.string(),
    v.rawTransform<string, readonly number[]>(({ dataset, addIssue, NEVER }) => {
      const partitions = new Set<number>()
      const parts = dataset.value.split(',').map((part) => part.trim())
      for (const part of dataset.value.trim() === '' ? [] : parts) {
        const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part)
        const first = Number(range?.[1])
        const last = Number(range?.[2] ?? first)
        if (range === null || first > last) {
          addIssue({ message: `"${part}" is neither a partition number nor a range such as 0-3` })
          return NEVER
        }
        for (let partition = first; partition <= last; partition++) {
          if (partitions.has(partition)) {
            addIssue({ message: `partition ${partition} is named twice` })
            return NEVER
          }
          partitions.add(partition)
        }
      }
      return Object.freeze([...partitions].toSorted((a, b) => a - b))
    }),
  )
}

const originsMax = 100

/** `https://a.example, http://localhost:3000` or `*`; as browsers write them in the Origin header. */
export function originList() {
  return v.pipe(
    v.string(),
    v.transform((text): readonly string[] =>
      Object.freeze([...new Set(text.split(',').map((origin) => origin.trim()))]),
    ),
    v.maxLength(originsMax),
    v.check((origins) => origins.every((origin) => origin === '*' || isOrigin(origin))),
  )
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text
}

const urlLengthMax = 2_048

/** URL of an instance, without a slash at the end. It may have a path. */
export function peerUrl() {
  return v.pipe(
    v.string(),
    v.maxLength(urlLengthMax),
    v.regex(/^https?:\/\//i),
    v.check((text) => URL.canParse(text)),
    v.transform((text) => new URL(text)),
    // A `?` or `#` with nothing behind it is in href only.
    v.check(({ username, password, href }) => username + password === '' && !/[?#]/.test(href)),
    v.rawTransform<URL, string>(({ dataset, addIssue, NEVER }) => {
      const { hostname, port, href } = dataset.value
      if (isUnspecifiedHost(hostname)) {
        addIssue({ message: 'it stands for all addresses; name the one that the others reach' })
        return NEVER
      }
      if (port === '0') {
        addIssue({ message: 'nothing is reached at port 0; name the one that the others reach' })
        return NEVER
      }
      return href.replace(/\/$/, '')
    }),
  )
}

/** Characters that a header can carry: those of RFC 6750 and a few more in common use. */
export function bearerToken() {
  return v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/), v.maxLength(tokenLengthMax))
}

const headerNameLengthMax = 256
const headerNamesMax = 100

/** `trace-id, x-*` to ['trace-id', 'x-*']; empty text to []. */
export function headerNames() {
  return v.pipe(
    v.string(),
    v.rawTransform<string, readonly string[]>(({ dataset, addIssue, NEVER }) => {
      const names = dataset.value.split(',').map((name) => name.trim())
      const kept = [...new Set(names.filter((name) => name !== ''))]
      const faulty = kept.find((name) => name.slice(0, -1).includes('*') || name.length > headerNameLengthMax)
      const reserved = kept.find((name) => reservedHeaders.has(name))
      const message =
        faulty === undefined
          ? reserved && `"${reserved}" is reserved: the changelog's records have a header of that name`
          : `"${faulty}" is not a name: up to ${headerNameLengthMax} characters, "*" only at the end`
      const found = kept.length > headerNamesMax ? `it has more than ${headerNamesMax} names` : message
      if (found === undefined) return Object.freeze(kept)
      addIssue({ message: found })
      return NEVER
    }),
  )
}

const hostNamesMax = 100
const hostNameLengthMax = 253

/** `orders.example, *.internal` to ['orders.example', '*.internal'], in lower case. */
export function hostNames() {
  const name = /^(\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$/
  return v.pipe(
    v.string(),
    v.transform((text) => text.toLowerCase().split(',')),
    v.transform((parts) => parts.map((part) => part.trim()).filter((part) => part !== '')),
    v.minLength(1),
    v.maxLength(hostNamesMax),
    v.everyItem((part) => part.length <= hostNameLengthMax && name.test(part)),
    v.transform((names): readonly string[] => Object.freeze(names)),
  )
}
