/** The documents that `latchkey print` prints: what an operator puts beside the executable. */
import { alerts } from './alerts.ts'
import { dashboard } from './dashboard.ts'
import { dockerfile } from './dockerfile.ts'
import { k8s, k8sGroup } from './k8s.ts'
import { unit } from './unit.ts'

export const documents = { alerts, dashboard, dockerfile, k8s, 'k8s-group': k8sGroup, unit } as const
