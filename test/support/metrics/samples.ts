/** Metrics as Prometheus reads them. */
import { expect } from 'bun:test'

const sampleLine =
  /^([a-z_]+)(?:\{([a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/

/** Value by name and labels, after checking the text line by line. */
export function samplesIn(text: string): Map<string, number> {
  expect(text).toEndWith('\n')
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  let helped = ''
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (keyword === 'HELP') helped = name!
    else if (keyword === 'TYPE') {
      expect(name).toBe(helped)
      expect(types.has(name!)).toBeFalse()
      types.set(name!, rest!)
    } else {
      const [, sample, labels, value] = sampleLine.exec(line) ?? []
      if (sample === undefined) throw new Error(`No sample: ${line}`)
      const type = types.get(helped)!
      const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
      expect(sample).toStartWith(helped)
      expect(suffixes).toContain(sample.slice(helped.length))
      expect(type === 'counter').toBe(sample.endsWith('_total'))
      const series = labels === undefined ? sample : `${sample}{${labels}}`
      expect(samples.has(series)).toBeFalse()
      samples.set(series, Number(value === '+Inf' ? Infinity : value))
    }
  }
  for (const name of types.keys()) expect(name).toStartWith('latchkey_')
  return samples
}
