import { describe, expect, test } from 'bun:test'
import { YAML } from 'bun'
import { printedDocuments } from '../../lib/config/commands.ts'
import { readCommand } from '../../lib/config/index.ts'
import { documents } from '../../lib/print/index.ts'
import { partsOfBun } from '../../lib/print/packages.ts'
import { sbomText } from '../../lib/print/sbom.ts'
import { informationOf } from '../../lib/server/information.ts'

interface WorkloadSpec {
  template: { spec: { containers: [{ env?: { name: string; value?: string }[] }] } }
}

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

test.each([
  ['k8s', 'StatefulSet'],
  ['k8s-group', 'Deployment'],
] as const)('the manifests of %s are YAML, and their probes and ports are those of the store', (name, workload) => {
  const manifests = YAML.parse(documents[name]) as Record<string, unknown>[]
  expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', workload, 'Service', 'PodDisruptionBudget'])
  for (const part of ['path: /livez', 'path: /readyz', 'prometheus.io/path: /metrics', 'containerPort: 8080']) {
    expect(documents[name]).toContain(part)
  }
})

test.each(['k8s', 'k8s-group'] as const)('the settings of %s are settings, and their values fit', (name) => {
  const [{ data }, { spec }] = YAML.parse(documents[name]) as [{ data: Record<string, string> }, { spec: WorkloadSpec }]
  const [{ env = [] }] = spec.template.spec.containers
  const given = env.flatMap(({ name: variable, value }) => (value === undefined ? [] : [[variable, value] as const]))
  const environment = {
    ...data,
    ...Object.fromEntries(given.map(([variable, value]) => [variable, value.replace('$(POD_IP)', '10.0.0.7')])),
  }
  const command = readCommand({ argv: ['--print-settings'], environment, envDirectories: [] })
  if (command.action !== 'print-settings') throw new Error(command.action)
  const inEffect = command.lines.join('\n')
  for (const [variable, value] of Object.entries(environment)) {
    expect(inEffect).toMatch(new RegExp(`^${variable}=['"]?${RegExp.escape(value)}`, 'm'))
  }
})

test('a pod of a group starts before another one stops, and finds its address', () => {
  const { spec } = (YAML.parse(documents['k8s-group']) as { spec: WorkloadSpec }[])[1]!
  expect(spec).toMatchObject({
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      spec: {
        containers: [
          {
            env: [
              { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'ADVERTISED_URL', value: 'http://$(POD_IP):8080' },
            ],
          },
        ],
      },
    },
  })
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

test('a pod of a group may take as long to stop as it needs to hand over', () => {
  const numberIn = (pattern: RegExp) => Number(pattern.exec(documents['k8s-group'])![1])
  const grace = numberIn(/^ +terminationGracePeriodSeconds: (\d+)$/m)
  const waits = numberIn(/^  SHUTDOWN_DELAY: '(\d+)'$/m) + numberIn(/^  HANDOVER_SECONDS: '(\d+)'$/m)
  expect(grace).toBeGreaterThanOrEqual(waits + 5)
})

test('a pod and a service may take as long to stop as the store does', () => {
  const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)![1])
  const delay = numberIn(documents.k8s, /^  SHUTDOWN_DELAY: '(\d+)'$/m)
  expect(delay).toBeGreaterThan(0)
  const grace = numberIn(documents.k8s, /^ +terminationGracePeriodSeconds: (\d+)$/m)
  expect(grace).toBeGreaterThanOrEqual(delay + 25)
  expect(numberIn(documents.unit, /^TimeoutStopSec=(\d+)$/m)).toBeGreaterThanOrEqual(25)
})
