/** Certificates made by openssl for one run of tests: a CA, what it signed, and what another one did. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, tail } from '../../process/run.ts'

const opensslTimeoutMs = 30_000
export const keyPassword = 'key, pass=word'

export interface KeyPair {
  /** Paths of PEM files. */
  certificate: string
  key: string
}

export interface Certificates {
  folder: string
  ca: string
  /** Of a broker at localhost. */
  broker: KeyPair
  /** Of a broker at another host. */
  elsewhere: KeyPair
  /** Of a broker at localhost, and out of date. */
  expired: KeyPair
  client: KeyPair
  /** The client's key, encrypted with `keyPassword`. */
  encryptedKey: string
  /** A client that the CA does not know. */
  stranger: KeyPair
}

export async function makeCertificates(folder: string): Promise<Certificates> {
  const at = (name: string) => join(folder, name)
  const ca = await selfSigned('ca', 'localhost CA')
  const signed = async (name: string, subject: string, days: string, host = 'localhost'): Promise<KeyPair> => {
    writeFileSync(at(`${name}.ext`), `subjectAltName=DNS:${host}\n`)
    const pair = { certificate: at(`${name}.crt`), key: at(`${name}.key`) }
    await openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      pair.key,
      '-out',
      at(`${name}.csr`),
      '-subj',
      `/CN=${subject}`,
    )
    const ours = ['-CA', ca.certificate, '-CAkey', ca.key, '-CAcreateserial']
    await openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...ours,
      '-out',
      pair.certificate,
      '-days',
      days,
      '-extfile',
      at(`${name}.ext`),
    )
    return pair
  }
  const client = await signed('client', 'orders-store', '2')
  const encryptedKey = at('encrypted.key')
  await openssl(
    'pkcs8',
    '-topk8',
    '-v2',
    'aes-256-cbc',
    '-in',
    client.key,
    '-out',
    encryptedKey,
    '-passout',
    `pass:${keyPassword}`,
  )
  return {
    folder,
    ca: ca.certificate,
    broker: await signed('broker', 'broker', '2'),
    elsewhere: await signed('elsewhere', 'broker', '2', 'kafka.example'),
    expired: await signed('expired', 'broker', '-1'),
    client,
    encryptedKey,
    stranger: await selfSigned('stranger', 'stranger'),
  }

  async function selfSigned(name: string, subject: string): Promise<KeyPair> {
    const pair = { certificate: at(`${name}.crt`), key: at(`${name}.key`) }
    const request = ['-newkey', 'rsa:2048', '-nodes', '-keyout', pair.key, '-out', pair.certificate]
    await openssl('req', '-x509', ...request, '-days', '2', '-subj', `/CN=${subject}`)
    return pair
  }
}

/** A key store or trust store in PEM, as the value of a broker property. */
export function pemProperty(path: string): string {
  return readFileSync(path, 'utf8').trim().replaceAll('\n', '\\n')
}

async function openssl(...args: string[]): Promise<void> {
  const { stderr, exitCode } = await run(['openssl', ...args], opensslTimeoutMs).catch((error: Error) => {
    throw new Error(`make certificates: ${error.message}. Install openssl.`, { cause: error })
  })
  if (exitCode !== 0) throw new Error(`make certificates: openssl ${args[0]} ended with ${exitCode}\n${tail(stderr)}`)
}
