export const scenarioNames = [
  'start',
  'peers',
  'beside',
  'large',
  'freshness',
  'shapes',
  'conversions',
  'scale',
  'endless',
] as const
export type ScenarioName = (typeof scenarioNames)[number]
