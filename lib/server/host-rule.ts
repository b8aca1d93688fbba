/**
 * The names that a store answers to. A web page can make its own name resolve to 127.0.0.1 after it is loaded (DNS
 * rebinding). For a browser, the response then has the page's origin, and the page can read it. The Host header reveals
 * this: a browser writes the page's name into it. So requests from this machine, which no network in between protects,
 * must name an address, this machine, or a name that the operator has listed.
 */
import { isIP, isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { LatchkeyError } from '../errors.ts'
import { problemResponse } from '../http/problem.ts'
import { loggerOf } from '../log/index.ts'
import type { Token } from '../text/token.ts'

const shownCharactersMax = 255

export interface HostRuleOptions {
  /**
   * Names, `*.suffix`, or `*`, in lower case. They apply to every connection. If absent, the rule applies to
   * connections from this machine only.
   */
  hosts?: readonly string[] | undefined
  /** No page of another site has it. */
  token: Token
  /**
   * Called for each refused request.
   * @returns whether to log it
   */
  refused: () => boolean
}

/** Returns undefined if no request is to be refused. */
export function hostRuleOf(options: HostRuleOptions): HostRule | undefined {
  return options.hosts === undefined && options.token.isRequired ? undefined : new HostRule(options)
}

export class HostRule {
  /** The rule applies to connections from other machines, too. */
  readonly isForAll: boolean
  readonly #names: ReadonlySet<string>
  readonly #suffixes: readonly string[]
  readonly #takesAny: boolean
  readonly #refused: () => boolean
  readonly #token: Token
  /** Last Host and its result. Clients repeat their Host. */
  #last: string | null = null
  #isLastAdmitted = true

  constructor({ hosts, token, refused }: HostRuleOptions) {
    const listed = hosts ?? []
    this.isForAll = hosts !== undefined
    this.#names = new Set(['localhost', hostname().toLowerCase(), ...listed])
    this.#suffixes = listed.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
    this.#takesAny = listed.includes('*')
    this.#refused = refused
    this.#token = token
  }

  /** @param host as in the header; null without one, which no browser sends */
  admits(host: string | null): boolean {
    // The token may have come after the start.
    if (!this.isForAll && this.#token.isRequired) return true
    if (host !== this.#last) {
      this.#isLastAdmitted = host === null || this.#takesAny || this.#isKnown(host)
      this.#last = host
    }
    return this.#isLastAdmitted
  }

  /** Returns the response to a request that is not admitted. Counts and logs it. */
  refusal(host: string | null): Response {
    const name = JSON.stringify((host ?? '').slice(0, shownCharactersMax))
    // With SERVER_HOSTS the rule holds for requests with a token, too.
    const advice = this.isForAll ? 'list it in SERVER_HOSTS' : 'list it in SERVER_HOSTS, or set SERVER_TOKEN_FILE'
    const found = `${name} is not an address, localhost or this machine's name; ${advice}`
    const message =
      'Refused a request for its Host: {found}. A web page that a browser here shows may have sent it; there is one such line a minute at most'
    if (this.#refused()) loggerOf('http').warn(message, { found })
    return problemResponse(new LatchkeyError('host_not_allowed', `Checking the Host of the request: ${found}`))
  }

  #isKnown(host: string): boolean {
    const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
    if (name.startsWith('[')) return name.endsWith(']') && isIPv6(name.slice(1, -1))
    return isIP(name) === 4 || this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix))
  }
}
