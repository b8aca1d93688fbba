/** The requests that the demo tries itself, and how it prints them. */

export interface Step {
  title: string
  /** Rejects where it is not as promised. */
  act: () => Promise<void>
}

/** Tries one after the other; resolves with the exit code of the demo. */
export async function tryAll(steps: readonly Step[]): Promise<number> {
  let failures = 0
  for (const { title, act } of steps) {
    const took = timer()
    const fault = await act().then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (fault !== undefined) failures++
    console.log(`\n${indent(title)}\n    ${fault === undefined ? `ok (${took()})` : `FAILED: ${fault}`}`)
  }
  console.log(`\n${steps.length - failures} of ${steps.length} steps as promised.`)
  return failures === 0 ? 0 : 1
}

/** Seconds since the call, as text. */
export function timer(): () => string {
  const startedAt = performance.now()
  return () => `${((performance.now() - startedAt) / 1_000).toFixed(2)} s`
}

export function indent(text: string): string {
  return text.trimEnd().replace(/^(?=.)/gm, '    ')
}
