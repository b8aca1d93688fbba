/** Operations other than reads of entries. */
import { events, json, lines, operation, plainText } from './operation.ts'
import { ofChanges, ofReadiness, ofStatus, storeId } from './parameters.ts'
import { problemsOf } from './problems.ts'
import { examplesOf, ref, type ResponseSpec, type Schema, text } from './schema.ts'

const id = '1~_-7u4oX0SlGsTXDk52fRZA~mx38cb5u~0.2ga'

const changes = operation({
  id: 'followChanges',
  tag: 'changes',
  summary: 'Streams what changes; with from=start, all entries first',
  parameters: [storeId, ...ofChanges],
  answers: {
    200: {
      description: 'A stream without end, as the Accept header asks',
      content: {
        ...events({
          events: `retry: 2000\n\nevent: reset\ndata: {}\nid: start\n\nevent: put\ndata: {"key":"10002","value":{"status":"delivered"},"partition":0,"offset":4,"timestamp":1796040833748}\nid: ${id}\n\n`,
        }),
        ...lines(ref('ChangeLine'), {
          lines: [
            { type: 'reset', id: 'start' },
            { type: 'put', key: '10002', partition: 0, offset: 4, timestamp: 1_796_040_833_748 },
            { type: 'place', id },
          ],
        }),
      },
    },
  },
  problems: problemsOf.changes,
})

const status = {
  id: 'orders',
  formats: { key: 'raw', value: 'raw' },
  state: 'running',
  partitions: { primary: [0], replicas: [] },
  caughtUp: true,
  recovery: null,
  memory: { state: 'ok', max: null, budget: null, used: 4_096, free: 0 },
  skipped: { total: 0, byReason: {} },
  details: [
    {
      partition: 0,
      role: 'primary',
      state: 'running',
      position: 12,
      end: 12,
      lag: 0,
      entries: 3,
      liveBytes: 180,
      totalBytes: 240,
      indexBytes: 64,
    },
  ],
  conditions: [{ name: 'recovered', ok: true }],
}

const getStatus = operation({
  id: 'getStatus',
  tag: 'operations',
  summary: 'State of the store and of its partitions',
  parameters: [storeId, ...ofStatus],
  answers: { 200: { description: 'The status', content: json(ref('StoreStatus'), { status, pretty: status }) } },
  problems: problemsOf.ofStore,
})

const flush = operation({
  id: 'flush',
  tag: 'operations',
  summary: 'Waits until all that was consumed before is in the changelog and visible',
  parameters: [storeId],
  answers: {
    200: {
      description: 'Number of operations that it made visible',
      content: json(ref('Flushed'), { flush: { operations: 2 } }),
    },
  },
  problems: problemsOf.flush,
})

function textOperation(
  operationId: string,
  summary: string,
  example: string,
  media: Schema = text,
  isOpen = false,
): object {
  const content = { 'text/plain': { schema: media, examples: examplesOf({ [operationId]: example }) } }
  return operation({
    id: operationId,
    tag: 'operations',
    summary,
    answers: { 200: { description: summary, content } },
    problems: problemsOf.none,
    ...(isOpen && { isOpen }),
  })
}

const liveness = (operationId: string) => {
  return textOperation(operationId, 'Answers while the process runs', 'alive\n', { const: 'alive\n' }, true)
}

function readiness(operationId: string): object {
  const verbose: ResponseSpec = {
    description: 'Not every condition holds; with verbose as text',
    content: { 'text/plain': { schema: text } },
  }
  return operation({
    id: operationId,
    tag: 'operations',
    summary: 'Whether the store has recovered and caught up',
    parameters: ofReadiness,
    answers: {
      200: {
        description: 'Every condition holds',
        content: plainText({ ready: 'ready\n', verbose: '[+]recovered ok\nready\n' }),
      },
      503: verbose,
    },
    problems: problemsOf.readiness,
    isOpen: true,
  })
}

const metrics = (operationId: string) => {
  const example = '# HELP latchkey_lookups_total Lookups by outcome\n'
  return textOperation(operationId, 'Metrics in the text format of Prometheus', example)
}

const openapi = operation({
  id: 'getOpenapi',
  tag: 'operations',
  summary: 'This document',
  answers: {
    200: { description: 'OpenAPI 3.1', content: json({ type: 'object' }, { document: { openapi: '3.1.1' } }) },
  },
  problems: problemsOf.none,
})

export const operationPaths = {
  '/': { get: textOperation('getIndex', 'The paths of the store, for a person', 'Latchkey: store orders, running\n') },
  '/changes/{id}': { get: changes },
  '/status-store/{id}': { get: getStatus },
  '/flush-store/{id}': { post: flush },
  '/livez': { get: liveness('getLiveness') },
  '/status/liveness': { get: liveness('getLivenessLong') },
  '/readyz': { get: readiness('getReadiness') },
  '/status/readiness': { get: readiness('getReadinessLong') },
  '/metrics': { get: metrics('getMetrics') },
  '/metrics/prometheus': { get: metrics('getMetricsLong') },
  '/openapi.json': { get: openapi },
}
