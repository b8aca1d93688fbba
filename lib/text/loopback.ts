/** Hosts that name no other machine: addresses by which a machine reaches itself, and those for all that it has. */

/** @param address as text; IPv4 may be in IPv6 notation */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address)
}

/** @param host a name, or an address in any notation; IPv6 may be in brackets, as URLs have it */
export function isLoopbackHost(host: string): boolean {
  const name = canonicalOf(host)
  return /^(.+\.)?localhost\.?$/.test(name) || isLoopback(name) || /^::ffff:7f[\da-f]{2}:/.test(name)
}

/** Whether it stands for all addresses of a machine. @param host as for isLoopbackHost() */
export function isUnspecifiedHost(host: string): boolean {
  return ['0.0.0.0', '::', '::ffff:0:0'].includes(canonicalOf(host))
}

/** Addresses have many notations (`0`, `0x7f.1`, `::0`), of which URLs keep one. */
function canonicalOf(host: string): string {
  const name = host.replace(/^\[|\]$/g, '')
  const url = URL.parse(`http://${name.includes(':') ? `[${name}]` : name}`)
  return (url?.hostname ?? name).replace(/^\[|\]$/g, '')
}
