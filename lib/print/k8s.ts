/** Manifests for Kubernetes: one instance that holds all partitions. */
import { version } from '../../package.json' with { type: 'json' }
import { image } from './image.ts'

const [user, group] = image.user.split(':')

export const k8s = `# Replace: the image, SOURCE_TOPIC, KAFKA_BROKERS, and memory (README.md, In production, has the formula).
apiVersion: v1
kind: ConfigMap
metadata:
  name: latchkey
data:
  SOURCE_TOPIC: orders
  KAFKA_BROKERS: kafka:9092
  # Nodes learn late that a pod has left its Service. It answers meanwhile.
  SHUTDOWN_DELAY: '10'
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: latchkey
  labels: { app.kubernetes.io/name: latchkey }
spec:
  serviceName: latchkey
  # More instances of the same store need partitions of their own: PARTITIONS and PARTITIONS_REPLICA.
  replicas: 1
  selector:
    matchLabels: { app.kubernetes.io/name: latchkey }
  template:
    metadata:
      labels: { app.kubernetes.io/name: latchkey }
      annotations:
        prometheus.io/scrape: 'true'
        prometheus.io/port: '${image.port}'
        prometheus.io/path: /metrics
    spec:
      # SHUTDOWN_DELAY, and at most 25 s to end.
      terminationGracePeriodSeconds: 40
      automountServiceAccountToken: false
      securityContext:
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
          ports:
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
