/** The order that the demo reads by a Redis client. */
import { RedisClient } from 'bun'
import type { Step } from './steps.ts'

/** @param value what the key has */
export function redisStep(port: number, key: string, value: string | undefined): Step {
  return {
    title: `# The first order, for Redis clients\nredis-cli -p ${port} get ${key}`,
    async act() {
      const client = new RedisClient(`redis://127.0.0.1:${port}`)
      try {
        const found = await client.get(key)
        if (found !== value) throw new Error(`found ${found ?? 'nothing'} instead of ${value}`)
      } finally {
        client.close()
      }
    },
  }
}
