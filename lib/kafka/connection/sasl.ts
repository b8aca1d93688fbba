/**
 * SASL of kafkajs, with one difference: kafkajs reports every failure as an authentication error, also that of a broker
 * that stops meanwhile. Here, only a refusal is one.
 */
import plain from 'kafkajs/src/broker/saslAuthenticator/plain'
import scram256 from 'kafkajs/src/broker/saslAuthenticator/scram256'
import scram512 from 'kafkajs/src/broker/saslAuthenticator/scram512'
import type { Connection } from 'kafkajs/src/network/connectionPool'
import { messageOf } from '../../errors.ts'
import { isDebug } from '../../log/index.ts'
import type { SaslConfig } from '../../store-protocol/client-config.ts'
import { logAuthenticated } from './connection-log.ts'

const providers = { plain, 'scram-sha-256': scram256, 'scram-sha-512': scram512 }

/** The broker refused us, or could not prove its identity to us. The message holds no secret. */
export class SaslRefused extends Error {
  override readonly name = 'SaslRefused'
}

interface Exchanges {
  saslAuthenticate: (exchange: unknown) => Promise<unknown>
}

/** Returns the `sasl` option for a connection of kafkajs. @param broker host:port, for log lines */
export function saslOptions({ mechanism, username, password }: SaslConfig, broker: string): Record<string, unknown> {
  const provider = providers[mechanism]({ username, password })
  const authenticationProvider = (exchanges: Exchanges) => ({ authenticate: () => authenticate(exchanges) })
  return { mechanism, authenticationProvider }

  async function authenticate(exchanges: Exchanges): Promise<void> {
    const begunAt = performance.now()
    let fault: unknown
    const saslAuthenticate = async (exchange: unknown) => {
      try {
        return await exchanges.saslAuthenticate(exchange)
      } catch (error) {
        fault = error
        throw error
      }
    }
    try {
      await provider({ ...exchanges, saslAuthenticate }).authenticate()
      if (isDebug()) logAuthenticated(broker, mechanism, begunAt)
    } catch (error) {
      // A broker that answered has refused. Without a failed exchange, we refused the server (it could not prove
      // itself).
      if (fault instanceof Error && fault.name !== 'KafkaJSProtocolError') throw fault
      throw new SaslRefused(messageOf(fault ?? error).replaceAll(password, '…'), { cause: undefined })
    }
  }
}

/**
 * Authenticates again after 85 % of a session, as Java clients do. kafkajs does so ten seconds before the end. If
 * connections.max.reauth.ms is ten seconds or less, it does so before each request, which the broker refuses.
 */
export function authenticateInTime(connection: Connection): void {
  const get = () => Math.ceil(Number(connection.sessionLifetime.toString()) * 0.15)
  Object.defineProperty(connection, 'reauthenticationThreshold', { get })
}
