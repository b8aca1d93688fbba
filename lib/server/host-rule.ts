/**
 * Which names a store answers to. A web page may have its own name lead to 127.0.0.1 once it is loaded (DNS rebinding): to a browser, what then answers
 * is of the page's origin, and the page reads it. The Host header gives it away, since a browser writes the page's name into it. So requests
 * from this machine, which no network in between protects, have to name an address, this machine, or a name that the operator has listed.
 */
import { isIP, isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { LatchkeyError } from '../errors.ts'
import { loggerOf } from '../log/index.ts'
import { problemResponse } from '../http/problem.ts'

const shownCharactersMax = 255

export interface HostRuleOptions {
  /** Names, `*.suffix`, or `*`, in lower case; they hold for every connection. Absent: only those from this machine are looked at. */
  hosts?: readonly string[] | undefined
  /** A token is asked for, which no page of another site has. */
  hasToken: boolean
  /** Called for each request that is refused. @returns whether it is to be logged */
  refused: () => boolean
}

/** Undefined where nothing is to be refused. */
export function hostRuleOf({ hosts, hasToken, refused }: HostRuleOptions): HostRule | undefined {
  return hosts === undefined && hasToken ? undefined : new HostRule(hosts, refused)
}

export class HostRule {
  /** It holds for connections from other machines, too. */
  readonly isForAll: boolean
  readonly #names: ReadonlySet<string>
  readonly #suffixes: readonly string[]
  readonly #takesAny: boolean
  readonly #refused: () => boolean
  /** Clients repeat themselves. */
  #last: string | null = null
  #isLastAdmitted = true

  constructor(hosts: readonly string[] | undefined, refused: () => boolean) {
    const listed = hosts ?? []
    this.isForAll = hosts !== undefined
    this.#names = new Set(['localhost', hostname().toLowerCase(), ...listed])
    this.#suffixes = listed.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
    this.#takesAny = listed.includes('*')
    this.#refused = refused
  }

  /** @param host as the header has it; null, which no browser sends, where there is none */
  admits(host: string | null): boolean {
    if (host !== this.#last) {
      this.#isLastAdmitted = host === null || this.#takesAny || this.#isKnown(host)
      this.#last = host
    }
    return this.#isLastAdmitted
  }

  /** The answer to a request that is not admitted, counted and logged. */
  refusal(host: string | null): Response {
    const name = JSON.stringify((host ?? '').slice(0, shownCharactersMax))
    const found = `${name} is no address, not localhost and not this machine's name; list it in SERVER_HOSTS, or set SERVER_TOKEN_FILE`
    const told =
      'Refused a request for its Host: {found}. A web page that a browser here shows may have sent it; there is one such line a minute at most'
    if (this.#refused()) loggerOf('http').warn(told, { found })
    return problemResponse(new LatchkeyError('host_not_allowed', `Checking the Host of the request: ${found}`))
  }

  #isKnown(host: string): boolean {
    const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
    if (name.startsWith('[')) return name.endsWith(']') && isIPv6(name.slice(1, -1))
    return isIP(name) === 4 || this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix))
  }
}
