/** The upper bound of Bun.serve: it answers every request with the same bytes. Arguments: port, bytes. */
const [port = '', bytes = ''] = process.argv.slice(2)
const body = Buffer.alloc(Number(bytes), 'x')
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  development: false,
  fetch: () => new Response(body, { headers: { 'Content-Type': 'application/json' } }),
})
