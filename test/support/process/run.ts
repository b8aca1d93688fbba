import { spawn } from 'node:child_process'
import type { ToolResult } from '../kafka/broker/broker.ts'

/** Runs a command to its end. Rejects when it cannot be started or takes longer than `timeoutMs`; an exit code is the caller's to judge. */
export function run(command: readonly string[], timeoutMs: number, stdin?: string | Uint8Array): Promise<ToolResult> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`run ${program}: no end after ${timeoutMs} ms; ${tail(Buffer.concat(stderr).toString())}`))
    }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => {}) // it may end without reading
    child.stdin.end(stdin ?? '')
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(new Error(`run ${program}: ${error.message}`, { cause: error }))
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        exitCode: code ?? -1,
      })
    })
  })
}

/** Like run(), and rejects when the command fails. @returns its output */
export async function runWell(command: readonly string[], timeoutMs: number): Promise<string> {
  const { stdout, stderr, exitCode } = await run(command, timeoutMs)
  if (exitCode !== 0) throw new Error(`run ${command.join(' ')}: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  return stdout
}

/** The last lines of an output, for an error message. */
export function tail(text: string, linesMax = 20): string {
  return text.trimEnd().split('\n').slice(-linesMax).join('\n')
}
