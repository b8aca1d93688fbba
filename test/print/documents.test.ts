import { describe, expect, test } from 'bun:test'
import { YAML } from 'bun'
import { printedDocuments } from '../../lib/config/commands.ts'
import { readCommand } from '../../lib/config/index.ts'
import { documents } from '../../lib/print/index.ts'
import { partsOfBun } from '../../lib/print/packages.ts'
import { sbomText } from '../../lib/print/sbom.ts'
import { informationOf } from '../../lib/server/information.ts'

function printed(...words: string[]) {
  return readCommand({ argv: ['print', ...words], environment: {}, envDirectories: [] })
}

describe('latchkey print', () => {
  test.each(printedDocuments)('prints %s', (name) => {
    const command = printed(name)
    if (command.action !== 'print') throw new Error(command.action)
    const text = informationOf(command, '0.1.0', {})
    expect(text.length).toBeGreaterThan(100)
    expect(text).toEndWith('\n')
    expect(text).not.toContain('undefined')
  })

  test.each([
    [[], 'found nothing; give one of alerts, dashboard,'],
    [['dashbord'], 'found "dashbord"; did you mean dashboard?'],
    [['unit', 'k8s'], 'found "unit" "k8s"; give one of'],
  ])('%p is refused', (words, found) => {
    expect(() => printed(...words)).toThrow(found)
  })

  test.each([[['--help']], [['unit', '-h']]])('%p is a question for help', (words) => {
    expect(printed(...words)).toEqual({ action: 'help', topic: 'commands' })
  })
})

test('the rules of alerts each have what a person needs', () => {
  const { groups } = YAML.parse(documents.alerts) as { groups: { rules: Record<string, unknown>[] }[] }
  const rules = groups.flatMap((group) => group.rules)
  expect(rules.length).toBeGreaterThan(5)
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  for (const rule of rules) {
    expect(rule).toMatchObject({
      alert: expect.stringMatching(/^Latchkey[A-Z]\w+$/),
      expr: expect.stringContaining('latchkey_'),
      labels: { severity: expect.stringMatching(/^(page|ticket)$/) },
      annotations: { summary: expect.any(String), description: expect.stringMatching(/\.$/) },
    })
  }
})

test('panels of the dashboard lie in its grid and do not overlap', () => {
  const { panels } = JSON.parse(documents.dashboard) as {
    panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[]
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`)
  })
  expect(new Set(cells).size).toBe(cells.length)
  expect(cells.every((cell) => Number(cell.split(',')[0]) < 24)).toBe(true)
})

test('the manifests of Kubernetes are YAML, and their probes and ports are those of the store', () => {
  const manifests = YAML.parse(documents.k8s) as Record<string, unknown>[]
  expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'StatefulSet', 'Service', 'PodDisruptionBudget'])
  for (const part of ['path: /livez', 'path: /readyz', 'prometheus.io/path: /metrics', 'containerPort: 8080']) {
    expect(documents.k8s).toContain(part)
  }
})

test('the bill of materials has every package and every part of Bun, once, and no time', () => {
  const bom = JSON.parse(sbomText()) as {
    components: { name: string; version: string; licenses: unknown[]; components?: { name: string }[] }[]
    dependencies: { ref: string; dependsOn: string[] }[]
  }
  const names = bom.components.map(({ name }) => name)
  expect(names).toContain('kafkajs')
  expect(names.at(-1)).toBe('bun')
  expect(new Set(names).size).toBe(names.length)
  expect(bom.components.at(-1)?.components?.map(({ name }) => name)).toEqual(Object.keys(partsOfBun))
  expect(bom.components.filter(({ version }) => !version)).toEqual([])
  const refs = new Set([...bom.dependencies.map(({ ref }) => ref), 'bun'])
  expect(bom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.has(ref))).toEqual([])
  expect(sbomText()).toBe(sbomText())
})

test('a pod and a service may take as long to stop as the store does', () => {
  const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)![1])
  const delay = numberIn(documents.k8s, /^  SHUTDOWN_DELAY: '(\d+)'$/m)
  expect(delay).toBeGreaterThan(0)
  const grace = numberIn(documents.k8s, /^ +terminationGracePeriodSeconds: (\d+)$/m)
  expect(grace).toBeGreaterThanOrEqual(delay + 25)
  expect(numberIn(documents.unit, /^TimeoutStopSec=(\d+)$/m)).toBeGreaterThanOrEqual(25)
})
