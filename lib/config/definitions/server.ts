/** Settings for the two servers: HTTP and the Redis protocol. */
import { availableParallelism } from 'node:os'
import * as v from 'valibot'
import { threadsDefault, threadsMax } from '../threads.ts'
import {
  bearerToken,
  hostNames,
  listenAddress,
  originList,
  tokenLengthMax,
  trueOrFalse,
  wholeNumber,
} from '../values.ts'

const connectionsMax = 1_000_000

export const serverDefinitions = {
  serverBind: v.pipe(
    v.optional(listenAddress(), '0.0.0.0'),
    v.metadata({
      variable: 'SERVER_BIND',
      meaning: 'Address that HTTP and the Redis protocol listen at.',
      brief: 'Address that HTTP listens at; else 0.0.0.0',
      allowed: 'an address or host name, such as 127.0.0.1 or ::',
      default: '0.0.0.0',
    }),
  ),
  serverPort: v.pipe(
    v.optional(wholeNumber(0, 65_535), '8080'),
    v.metadata({
      variable: 'SERVER_PORT',
      meaning: 'Port that HTTP listens at; 0 takes any free port.',
      brief: 'Port that HTTP listens at; else 8080',
      allowed: 'a whole number from 0 to 65535',
      default: '8080',
    }),
  ),
  respPort: v.pipe(
    v.optional(wholeNumber(0, 65_535)),
    v.metadata({
      variable: 'RESP_PORT',
      meaning: 'Port where Redis clients can read the store; 0 takes any free port.',
      brief: 'Port where Redis clients can read it; else none',
      allowed: 'a whole number from 0 to 65535',
      default: 'none: no Redis protocol',
    }),
  ),
  serverToken: v.pipe(
    v.optional(bearerToken()),
    v.metadata({
      variable: 'SERVER_TOKEN',
      meaning:
        'Bearer token that every request needs, except the probes of liveness and readiness, and the page, which asks for it; Redis clients send it as their password; read again on SIGHUP.',
      brief: 'Bearer token that every request then needs',
      allowed: `1 to ${tokenLengthMax} printable ASCII characters without spaces, such as "openssl rand -hex 32" prints`,
      default: 'none is asked for',
      isSecret: true,
    }),
  ),
  serverHosts: v.pipe(
    v.optional(hostNames()),
    v.metadata({
      variable: 'SERVER_HOSTS',
      meaning: 'Names that requests may have as their Host, besides addresses, localhost and the name of this machine.',
      allowed: 'names separated by commas, "*.example.com" for all below it, "*" for any; without ports',
      default: 'any from other machines; from this one, without a token, no further ones',
    }),
  ),
  corsOrigins: v.pipe(
    v.optional(originList()),
    v.metadata({
      variable: 'CORS_ORIGINS',
      meaning: 'Origins whose web pages may read answers; a page of another origin gets none from its browser.',
      allowed:
        'origins as browsers send them, separated by commas, such as https://a.example; "*" for all, not together with SERVER_TOKEN',
      default: 'none',
    }),
  ),
  serverTlsCert: v.pipe(
    v.optional(v.string()),
    v.metadata({
      variable: 'SERVER_TLS_CERT',
      meaning: 'File with the certificate for HTTPS and its chain, also for Redis clients; read again on SIGHUP.',
      allowed: 'the path of a PEM file, together with SERVER_TLS_KEY',
      default: 'none: plain HTTP',
    }),
  ),
  serverTlsKey: v.pipe(
    v.optional(v.string()),
    v.metadata({
      variable: 'SERVER_TLS_KEY',
      meaning: 'File with the private key of that certificate, without a passphrase; read again on SIGHUP.',
      allowed: 'the path of a PEM file, together with SERVER_TLS_CERT',
      default: 'none: plain HTTP',
    }),
  ),
  httpThreads: v.pipe(
    v.optional(wholeNumber(1, threadsMax), String(threadsDefault(availableParallelism()))),
    v.metadata({
      variable: 'HTTP_THREADS',
      meaning: 'Threads that answer HTTP, at the same port.',
      allowed: `a whole number from 1 to ${threadsMax}`,
      default: 'one for every four cores',
    }),
  ),
  httpFastPath: v.pipe(
    v.optional(trueOrFalse(), 'true'),
    v.metadata({
      variable: 'HTTP_FAST_PATH',
      meaning:
        "Answer plain GETs before Bun's HTTP server; false: that server listens itself, without some bounds (lib/http/README.md).",
      allowed: 'true or false',
      default: 'true',
      isSwitch: true,
    }),
  ),
  serverConnectionsMax: v.pipe(
    v.optional(wholeNumber(1, connectionsMax), '4096'),
    v.metadata({
      variable: 'SERVER_CONNECTIONS_MAX',
      meaning: 'Connections held at the same time; later ones are closed. Fewer if the limit of descriptors is lower.',
      allowed: `a whole number from 1 to ${connectionsMax}`,
      default: '4096',
    }),
  ),
}
