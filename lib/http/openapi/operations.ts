/** Operations other than reads of entries. */
import type { StoreStatus } from '../../store-protocol/status.ts'
import { retry } from '../event-stream.ts'
import { groupPaths } from './group-operations.ts'
import { events, json, lines, operation, plainText } from './operation.ts'
import { ofChanges, ofReadiness, storeId } from './parameters.ts'
import { problemsOf } from './problems.ts'
import { examplesOf, objectOf, ref, type ResponseSpec, type Schema, text } from './schema.ts'
import { statusPaths } from './status-operations.ts'

const id = '1~_-7u4oX0SlGsTXDk52fRZA~mx38cb5u~0.2ga'

const changes = () =>
  operation({
    id: 'followChanges',
    tag: 'changes',
    summary: 'Streams what changes; with from=start, all entries first',
    parameters: [storeId(), ...ofChanges()],
    answers: {
      200: {
        description: 'A stream without end, as the Accept header asks',
        content: {
          ...events(ref('ChangeEvent'), {
            events: `${retry}\nevent: reset\ndata: {}\nid: start\n\nevent: put\ndata: {"key":"10002","value":{"status":"delivered"},"partition":0,"offset":4,"timestamp":1796040833748}\nid: ${id}\n\n`,
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

const index = () =>
  operation({
    id: 'getIndex',
    tag: 'operations',
    summary: 'The paths of the store for a terminal, a page for a browser; the page needs no token',
    answers: {
      200: {
        description: 'As the Accept header asks',
        content: {
          ...plainText({ paths: 'Latchkey: store orders, running\n' }),
          'text/html': { schema: text, examples: examplesOf({ page: '<!doctype html>' }) },
          ...json(objectOf<Pick<StoreStatus, 'id' | 'state'>>({ id: text, state: text }), {
            store: { id: 'orders', state: 'running' },
          }),
        },
      },
    },
    problems: problemsOf.none,
  })

const flush = () =>
  operation({
    id: 'flush',
    tag: 'operations',
    summary: 'Waits until all that was consumed before is in the changelog and visible',
    parameters: [storeId()],
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
    parameters: ofReadiness(),
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

const openapi = () =>
  operation({
    id: 'getOpenapi',
    tag: 'operations',
    summary: 'This document',
    answers: {
      200: { description: 'OpenAPI 3.1', content: json({ type: 'object' }, { document: { openapi: '3.1.1' } }) },
    },
    problems: problemsOf.none,
  })

export function operationPaths(): Record<string, object> {
  return {
    '/': { get: index() },
    '/changes/{id}': { get: changes() },
    ...statusPaths(),
    ...groupPaths(),
    '/flush-store/{id}': { post: flush() },
    '/livez': { get: liveness('getLiveness') },
    '/status/liveness': { get: liveness('getLivenessLong') },
    '/readyz': { get: readiness('getReadiness') },
    '/status/readiness': { get: readiness('getReadinessLong') },
    '/metrics': { get: metrics('getMetrics') },
    '/metrics/prometheus': { get: metrics('getMetricsLong') },
    '/openapi.json': { get: openapi() },
  }
}
