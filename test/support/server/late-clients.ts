/** Five clients that connect to a port and ask at once when this process is asked to. It prints `ready`, and then their answers. */
const port = Number(process.argv[2])

process.stdin.once('data', async () => {
  const answers = await Promise.all(
    Array.from({ length: 5 }, () =>
      fetch(`http://127.0.0.1:${port}/livez`).then(
        ({ status }) => status,
        (error: NodeJS.ErrnoException) => error.code,
      ),
    ),
  )
  process.stdout.write(answers.join(' '), () => process.exit())
})
process.stdout.write('ready')
