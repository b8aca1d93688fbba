/** Addresses by which a machine reaches itself. */

/** @param address as text; IPv4 may be written as IPv6 has it */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address)
}
