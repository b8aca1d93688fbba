/** The documents that `latchkey print` prints: what an operator puts beside the executable. */
import { alerts } from './alerts.ts'
import { dashboard } from './dashboard.ts'
import { dockerfile } from './dockerfile.ts'
import { k8s } from './k8s.ts'
import { unit } from './unit.ts'

export const documents = { alerts, dashboard, dockerfile, k8s, unit } as const
