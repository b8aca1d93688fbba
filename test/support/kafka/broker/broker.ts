import type { TcpProxy } from '../proxies/tcp-proxy.ts'

/** Where a Kafka is reached. */
export interface KafkaEndpoint {
  /** host:port for clients, several separated by commas; the proxy's address where the broker was started with one. */
  readonly bootstrap: string
  /** The same, past any proxy. */
  readonly direct: string
  /** Runs a class of Kafka's own command line tools, for example `org.apache.kafka.tools.GetOffsetShell`. */
  java(mainClass: string, args: readonly string[], stdin?: string | Uint8Array): Promise<ToolResult>
}

/** A Kafka for tests: one node that is broker and controller in one. */
export interface KafkaBroker extends KafkaEndpoint {
  /** host:port of the further listeners that `StartOptions.listeners` asked for, by name. */
  readonly listeners: Readonly<Record<string, string>>
  /** Stands between clients and the broker where `StartOptions.proxy` asked for it. */
  readonly proxy: TcpProxy | undefined
  /** Of the running broker, for SIGSTOP and SIGCONT; undefined while it is down, and for a broker in a container or elsewhere. */
  readonly pid: number | undefined
  /** Folder of the log segments on this machine; undefined for a broker in a container or elsewhere. */
  readonly logDir: string | undefined
  /** Ends it gracefully; the data stay. */
  stop(): Promise<void>
  /** Ends it at once, as kill -9; the data stay. */
  kill(): Promise<void>
  /** Runs it again on the same port with the same data; resolves when it answers. */
  start(): Promise<void>
  /** Ends it permanently and removes its data. Twice is harmless. */
  close(): Promise<void>
}

export interface ToolResult {
  stdout: string
  stderr: string
  exitCode: number
}

export interface StartOptions {
  /** server.properties that are added to, or win over, those of `server-properties.ts`. */
  properties?: Readonly<Record<string, string>>
  /** Further listeners by name, such as `TLS`, with their security protocol. Each gets its own port, and advertises the host `localhost`. */
  listeners?: Readonly<Record<string, 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'>>
  /** Further arguments for formatting the storage, such as `--add-scram`. */
  formatArgs?: readonly string[]
  /** true: clients reach the broker through a TcpProxy only, since that is what its advertised listener names. */
  proxy?: boolean
  /** Largest Java heap; 512 by default. */
  heapMegabytes?: number
}

/** How long a start, a graceful stop or a tool may take before it counts as failed. Generous: a loaded machine of 2 cores. */
export const startTimeoutMs = 60_000
export const stopTimeoutMs = 30_000
export const toolTimeoutMs = 60_000
