/** Addresses by which a machine reaches itself. */

/** @param address as text; IPv4 may be in IPv6 notation */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address)
}

/** @param host a name, or an address as text; IPv6 may be in brackets, as URLs have it */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopback(host.replace(/^\[|\]$/g, ''))
}
