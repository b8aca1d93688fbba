import type { KafkaBroker } from './broker.ts'

/** Lets a broker answer nothing while its connections stay. One in a container has no process here: its proxy holds all frames. */
export function freeze({ pid, proxy }: KafkaBroker): void {
  if (pid !== undefined) return void process.kill(pid, 'SIGSTOP')
  proxy!.hold('requests')
  proxy!.hold('responses')
}

/** Ends that. */
export function thaw({ pid, proxy }: KafkaBroker): void {
  if (pid !== undefined) return void process.kill(pid, 'SIGCONT')
  proxy!.release()
}
