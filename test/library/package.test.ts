/** The package as npm makes it: what is in it, that it type-checks where it is installed, and that the example of lib/library/README.md runs there. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { OrderBook } from '../demo/orders.ts'
import { repositoryFiles, root } from '../style/repository.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Cluster } from '../support/kafka/topic-admin.ts'
import { Program } from '../support/library/program.ts'
import { readmeExample, readmeSession } from '../support/library/readme-example.ts'
import { tail } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const commandTimeoutMs = 120_000
const setupTimeoutMs = 300_000
const order = { id: '10002', status: 'delivered', items: [{ product: 'Door latch, steel', quantity: 1, price: 23.9 }] }

let folder: string
let project: string
let files: string[]

async function run(command: string[], cwd: string): Promise<string> {
  const child = Bun.spawn(command, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', timeout: commandTimeoutMs })
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  if ((await child.exited) !== 0) {
    throw new Error(`${command.join(' ')}: exit code ${child.exitCode}\n${tail(stdout + stderr)}`)
  }
  return stdout
}

/** Packs, and installs into a project that has nothing but that example. */
beforeAll(async () => {
  folder = temporaryFolder('package')
  project = join(folder, 'project')
  mkdirSync(project)
  const pack = Bun.which('npm')
    ? ['npm', 'pack', '--pack-destination']
    : [process.execPath, 'pm', 'pack', '--destination']
  await run([...pack, folder], root)
  const tarball = join(folder, `latchkey-${manifest.version}.tgz`)
  files = (await run(['tar', 'tzf', tarball], folder)).trim().split('\n')
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "type": "module", "private": true }')
  for (const [name, text] of readmeExample()) writeFileSync(join(project, name), text)
  await run([process.execPath, 'add', tarball, `valibot@${manifest.dependencies.valibot}`], project)
}, setupTimeoutMs)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the package', () => {
  test('holds sources, declarations, licence and READMEs, and nothing else', () => {
    const rest = files.filter((path) => !/^package\/(lib\/.*\.ts|dist\/types\/lib\/.*\.d\.ts)$/.test(path))
    const documents = repositoryFiles().filter((path) => /^(lib\/.*)?README\.md$/.test(path))
    expect(rest.toSorted()).toEqual(
      ['LICENSE', 'package.json', ...documents].map((path) => `package/${path}`).toSorted(),
    )
    expect(files).toContain('package/lib/store-thread/thread.ts')
    expect(files).toContain('package/dist/types/lib/index.d.ts')
  })

  test('type-checks strictly where it is installed, and refuses what does not fit the definition', async () => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      target: 'ESNext',
      lib: ['ESNext'],
      module: 'Preserve',
      moduleResolution: 'Bundler',
      allowImportingTsExtensions: true,
      noEmit: true,
      types: ['bun-types'],
      typeRoots: [join(root, 'node_modules')],
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    const check = [join(root, 'node_modules/.bin/tsc'), '--project', project]
    await run(check, project)
    const wrong = `
      import { openStore } from 'latchkey'
      import orders from './orders.ts'
      const store = openStore({ sourceTopic: 'orders', kafkaBrokers: 'localhost' }, orders)
      await store.put('1', { status: 'opened', items: [] })`
    writeFileSync(join(project, 'wrong.ts'), wrong)
    const failure = await run(check, project).catch((error: Error) => error.message)
    expect(failure).toMatch(/^wrong\.ts\(5,\d+\): error TS\d+: Type '"opened"' is not assignable to type/m)
    rmSync(join(project, 'wrong.ts'))
  })

  test('runs the example of lib/library/README.md, which takes the orders of the demo and prints what is printed there', async () => {
    const broker = await sharedKafka()
    const topic = uniqueName('orders')
    await createTopic(broker, topic, { partitions: 2 })
    const book = new OrderBook()
    const placed = Array.from({ length: 200 }, () => book.place())
    const advanced = Array.from({ length: 600 }, () => book.advance())
    await new Cluster(broker).produce(topic, [...placed, ...advanced, { key: '10002', value: JSON.stringify(order) }])
    const environment = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, PORT: '0' }
    await using program = new Program('server.ts', project, environment)
    const [, url] = await program.printed(/listening at (http\S+)\//)
    expect(await (await fetch(`${url}/metrics`)).text()).not.toMatch(/^latchkey_records_skipped_total\{.*\} [1-9]/m)
    expect((await fetch(`${url}/orders/1/quantity`)).status).toBe(404)
    const session = readmeSession()
    expect(session).toHaveLength(5)
    for (const { command, printed } of session) {
      const ours = command.replace('localhost:8080', url!).replace('/stores/orders/', `/stores/${topic}/`)
      expect((await run(['/bin/sh', '-c', ours.replace('curl', 'curl -sS')], project)).trimEnd()).toBe(
        printed.join('\n'),
      )
    }
    expect(await program.stop()).toBe(0)
    expect(program.stderr).toBe('')
  })
})
