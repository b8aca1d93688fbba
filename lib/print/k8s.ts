/** Manifests for Kubernetes: one instance that holds all partitions, or a group of instances. */
import { version } from '../../package.json' with { type: 'json' }
import { image } from './image.ts'

const [user, group] = image.user.split(':')

/** What the two have each for itself. */
interface ManifestParts {
  /** Before the manifests. */
  readonly head: string
  /** Further settings, as lines of YAML. */
  readonly settings: string
  /** Kind, and what belongs to it alone. */
  readonly kind: 'StatefulSet' | 'Deployment'
  readonly kindSpec: string
  readonly graceSeconds: number
  /** What the grace is for. */
  readonly grace: string
  /** Of the pod and of the container, as lines of YAML; may be empty. */
  readonly podSpec: string
  readonly containerSpec: string
}

function manifests({
  head,
  settings,
  kind,
  kindSpec,
  graceSeconds,
  grace,
  podSpec,
  containerSpec,
}: ManifestParts): string {
  return `${head}
apiVersion: v1
kind: ConfigMap
metadata:
  name: latchkey
data:
  SOURCE_TOPIC: orders
  KAFKA_BROKERS: kafka:9092
${settings}---
apiVersion: apps/v1
kind: ${kind}
metadata:
  name: latchkey
  labels: { app.kubernetes.io/name: latchkey }
spec:
${kindSpec}  selector:
    matchLabels: { app.kubernetes.io/name: latchkey }
  template:
    metadata:
      labels: { app.kubernetes.io/name: latchkey }
      annotations:
        prometheus.io/scrape: 'true'
        prometheus.io/port: '${image.port}'
        prometheus.io/path: /metrics
    spec:
      # ${grace}
      terminationGracePeriodSeconds: ${graceSeconds}
      automountServiceAccountToken: false
${podSpec}      securityContext:
        runAsNonRoot: true
        runAsUser: ${user}
        runAsGroup: ${group}
        fsGroup: ${group}
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: latchkey
          image: registry.example/latchkey:${version}
          envFrom:
            - configMapRef: { name: latchkey }
${containerSpec}          ports:
            - { name: http, containerPort: ${image.port} }
          # Holds while the store recovers, however long that takes.
          livenessProbe:
            httpGet: { path: /livez, port: http }
            periodSeconds: 10
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 2
          resources:
            requests: { cpu: '1', memory: 1Gi }
            limits: { memory: 1Gi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: tmp, mountPath: /tmp }
      volumes:
        - name: tmp
          emptyDir: {}
---
apiVersion: v1
kind: Service
metadata:
  name: latchkey
spec:
  selector: { app.kubernetes.io/name: latchkey }
  ports:
    - { name: http, port: ${image.port}, targetPort: http }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: latchkey
spec:
  maxUnavailable: 1
  selector:
    matchLabels: { app.kubernetes.io/name: latchkey }
`
}

export const k8s = manifests({
  head: '# Replace: the image, SOURCE_TOPIC, KAFKA_BROKERS, and memory (README.md, In production, has the formula).',
  settings: `  # Nodes learn late that a pod has left its Service. It answers meanwhile.
  SHUTDOWN_DELAY: '10'
`,
  kind: 'StatefulSet',
  kindSpec: `  serviceName: latchkey
  # More instances of the same store need partitions of their own: PARTITIONS and PARTITIONS_REPLICA, or k8s-group.
  replicas: 1
`,
  graceSeconds: 40,
  grace: 'SHUTDOWN_DELAY, and at most 25 s to end.',
  podSpec: '',
  containerSpec: '',
})

export const k8sGroup = manifests({
  head: `# A group of instances that share the partitions: any number, none with an identity of its own.
# Replace: the image, SOURCE_TOPIC, KAFKA_BROKERS, replicas, and memory: all data × (1 + STANDBYS) / replicas, and what
# one more pod holds while another one stops (README.md, In production, has the formula).`,
  settings: `  ELASTIC: 'true'
  # Copies of each partition beside its primary.
  STANDBYS: '1'
  # Nodes learn late that a pod has left its Service. It answers meanwhile.
  SHUTDOWN_DELAY: '5'
  # Then it hands its partitions over, so long at most.
  HANDOVER_SECONDS: '20'
`,
  kind: 'Deployment',
  kindSpec: `  # At least 1 + STANDBYS.
  replicas: 3
  # The new pod is ready once it has its share in memory. Only then an old one stops.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  # A pod may read a large share for long. After this time a rollout is reported as stuck.
  progressDeadlineSeconds: 3600
`,
  graceSeconds: 30,
  grace: 'SHUTDOWN_DELAY, HANDOVER_SECONDS, and some seconds to end. A pod that is killed then loses nothing.',
  podSpec: `      # Copies on different nodes. With client.rack in KAFKA_PROPERTIES they are in different racks, too.
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: { app.kubernetes.io/name: latchkey }
`,
  containerSpec: `          env:
            # Peers reach each other by the addresses of their pods. IPv6: http://[$(POD_IP)]:${image.port}
            - name: POD_IP
              valueFrom: { fieldRef: { fieldPath: status.podIP } }
            - name: ADVERTISED_URL
              value: http://$(POD_IP):${image.port}
`,
})
