/** Counts of a run. */
export class Tally {
  readonly faults = new Map<string, number>()
  rounds = 0
  starts = 0
  ends: string[] = []
  records = 0
  lookups = 0
  /** Lookups that were answered by neither 200 nor 404, by code; and without an answer at all. */
  readonly refusals = new Map<string, number>()
  unanswered = 0
  /** The longest time from a healed cluster to a store that has read all, shows it and has committed it. */
  slowestCatchUpMs = 0
  readonly violations: string[] = []

  struck(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
  }

  refused(answer: string): void {
    const code = /"code":\s*"(\w+)"/.exec(answer)?.[1] ?? answer.slice(0, 40)
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
  }

  summary(): string {
    const kills = ['broker-kill', 'store-kill'].map((name) => this.faults.get(name) ?? 0)
    return [
      `rounds         ${this.rounds}`,
      `faults         ${listed(this.faults)}`,
      `kills          ${kills[0]} of brokers, ${kills[1]} of the store; ${this.starts} starts of the store`,
      `ended itself   ${this.ends.length}`,
      `records        ${this.records}`,
      `lookups        ${this.lookups} answered, ${this.unanswered} without an answer, refused: ${listed(this.refusals)}`,
      `catching up    ${(this.slowestCatchUpMs / 1000).toFixed(1)} s at most`,
      `violations     ${this.violations.length}`,
    ].join('\n')
  }
}

function listed(counts: ReadonlyMap<string, number>): string {
  const entries = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'
}
