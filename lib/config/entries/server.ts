/** Settings of the HTTP server. */
import * as v from 'valibot'
import { listenAddress, wholeNumber } from '../values.ts'

export const serverEntries = {
  serverBind: v.pipe(
    v.optional(listenAddress(), '0.0.0.0'),
    v.metadata({
      variable: 'SERVER_BIND',
      meaning: 'Address that HTTP listens at.',
      allowed: 'an address or host name, such as 127.0.0.1 or ::',
      default: '0.0.0.0',
    }),
  ),
  serverPort: v.pipe(
    v.optional(wholeNumber(0, 65_535), '8080'),
    v.metadata({
      variable: 'SERVER_PORT',
      meaning: 'Port that HTTP listens at; 0 takes any that is free.',
      allowed: 'a whole number from 0 to 65535',
      default: '8080',
    }),
  ),
}
