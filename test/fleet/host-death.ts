/** What the death of a host looks like to others: packets of one instance are dropped both ways. Only for root, by iptables. */
import { spawnSync } from 'node:child_process'

const firstUser = 54_000

export class HostDeath implements Disposable {
  readonly #rules: readonly string[][]

  /** User of the instance with this index: its packets are known by that. */
  static userOf(index: number): number {
    return firstUser + index
  }

  /** @throws Error that says what is missing */
  static of(port: number, user: number): HostDeath {
    const loopback = ['OUTPUT', '-o', 'lo', '-p', 'tcp']
    const rules = [
      [...loopback, '-m', 'owner', '--uid-owner', String(user)],
      [...loopback, '--sport', String(port)],
      [...loopback, '--dport', String(port)],
    ]
    const death = new HostDeath(rules)
    for (const rule of rules) iptables(['-I', ...rule, '-j', 'DROP'])
    return death
  }

  private constructor(rules: readonly string[][]) {
    this.#rules = rules
  }

  /** The network is as before. */
  [Symbol.dispose](): void {
    for (const rule of this.#rules) iptables(['-D', ...rule, '-j', 'DROP'])
  }
}

function iptables(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('iptables', ['-w', ...args], { encoding: 'utf8' })
  if (status === 0) return
  throw new Error(
    `iptables ${args.join(' ')}: ${error?.message ?? stderr}. Run this row as root, with iptables installed`,
  )
}
