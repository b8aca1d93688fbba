/**
 * SASL as kafkajs does it, but for one thing: kafkajs calls every failure on the way an authentication error, also that of a broker which goes away meanwhile.
 * Here only what the broker refused is one.
 */
import plain from 'kafkajs/src/broker/saslAuthenticator/plain'
import scram256 from 'kafkajs/src/broker/saslAuthenticator/scram256'
import scram512 from 'kafkajs/src/broker/saslAuthenticator/scram512'
import { type Connection } from 'kafkajs/src/network/connectionPool'
import { messageOf } from '../../errors.ts'
import { type SaslConfig } from '../../store-protocol/client-config.ts'

const providers = { plain, 'scram-sha-256': scram256, 'scram-sha-512': scram512 }

/** The broker, or we, found the other one out; the message holds no secret. */
export class SaslRefused extends Error {
  override readonly name = 'SaslRefused'
}

interface Exchanges {
  saslAuthenticate: (exchange: unknown) => Promise<unknown>
}

/** The `sasl` that a connection of kafkajs is made with. */
export function saslOptions({ mechanism, username, password }: SaslConfig): Record<string, unknown> {
  const provider = providers[mechanism]({ username, password })
  const authenticationProvider = (exchanges: Exchanges) => ({ authenticate: () => authenticate(exchanges) })
  return { mechanism, authenticationProvider }

  async function authenticate(exchanges: Exchanges): Promise<void> {
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
    } catch (error) {
      // A broker that answered has refused; without a fault of an exchange it is we who did (a server that cannot prove itself).
      if (fault instanceof Error && fault.name !== 'KafkaJSProtocolError') throw fault
      throw new SaslRefused(messageOf(fault ?? error).replaceAll(password, '…'), { cause: undefined })
    }
  }
}

/**
 * Authenticates again after 85 % of a session, as Java's clients do. kafkajs does ten seconds before its end: where connections.max.reauth.ms is no more than that,
 * before each request, which the broker refuses.
 */
export function authenticateInTime(connection: Connection): void {
  const get = () => Math.ceil(Number(connection.sessionLifetime.toString()) * 0.15)
  Object.defineProperty(connection, 'reauthenticationThreshold', { get })
}
