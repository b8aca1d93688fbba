/**
 * What the server says it is. Clients decide by it which commands they use: redis-py, for example, wants Redis 7.4 for
 * RESP3 with a near cache.
 */
export const serverName = 'redis'
export const serverVersion = '7.4.0'
