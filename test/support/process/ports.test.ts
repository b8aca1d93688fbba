import { expect, test } from 'bun:test'
import { onFreePorts } from './ports.ts'

/** Fails so often, each time with something begun. */
function failing(times: number, message: string) {
  const seen = { starts: 0, closed: 0 }
  const running = onFreePorts(2, async (ports, closing) => {
    closing.push({ close: async () => void seen.closed++ })
    if (++seen.starts <= times) throw new Error(message)
    return ports.length
  })
  return { seen, running }
}

test('onFreePorts starts again on other ports when one was taken meanwhile, and closes what it had begun', async () => {
  const { seen, running } = failing(2, 'java.net.BindException: Address already in use')
  expect(await running).toBe(2)
  expect(seen).toEqual({ starts: 3, closed: 2 })
})

test('onFreePorts gives up when ports are taken each time', async () => {
  const { seen, running } = failing(9, 'java.net.BindException: Address already in use')
  await expect(running).rejects.toThrow('BindException')
  expect(seen).toEqual({ starts: 3, closed: 3 })
})

test('onFreePorts does not try again when something else fails', async () => {
  const { seen, running } = failing(1, 'no Java')
  await expect(running).rejects.toThrow('no Java')
  expect(seen).toEqual({ starts: 1, closed: 1 })
})
