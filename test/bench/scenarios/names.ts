export const scenarioNames = [
  'start',
  'peers',
  'beside',
  'large',
  'freshness',
  'shapes',
  'conversions',
  'threads',
  'scale',
  'endless',
  'resp',
  'reads',
  'restart',
  'feed',
  'memory',
  'snapshots',
] as const
export type ScenarioName = (typeof scenarioNames)[number]
