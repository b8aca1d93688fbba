/** The container image: read by skopeo, and its root runs in a chroot. Needs root, to mount and to change the root. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { image } from '../../lib/print/image.ts'
import { documents } from '../../lib/print/index.ts'
import { ociImage } from '../setup/image/oci.ts'
import { builtExecutable } from '../support/binary/built.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Cluster } from '../support/kafka/topic-admin.ts'
import { runWell } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const commandTimeoutMs = 60_000
const timeoutMs = 180_000
const topic = uniqueName('image')
let folder: string
let digest: string
let root: string

beforeAll(async () => {
  folder = temporaryFolder('image')
  root = join(folder, 'root')
  mkdirSync(root)
  const built = ociImage(await builtExecutable(), 'latchkey:1.2.3')
  ;({ digest } = built)
  writeFileSync(join(folder, 'image.tar'), built.archive)
  const copied = join(folder, 'copied')
  await command('skopeo', '--insecure-policy', 'copy', `oci-archive:${join(folder, 'image.tar')}`, `dir:${copied}`)
  const { layers } = JSON.parse(readFileSync(join(copied, 'manifest.json'), 'utf8')) as { layers: [{ digest: string }] }
  await command('tar', 'xzf', join(copied, layers[0].digest.replace('sha256:', '')), '-C', root)
}, timeoutMs)

afterAll(() => rmSync(folder, { recursive: true }))

function command(...words: readonly string[]): Promise<string> {
  return runWell(words, commandTimeoutMs)
}

/** What runs the image's root as a container does: with /proc and /dev, as its user, and seeing nothing else. */
function inRoot(): string[] {
  const mounts = ['proc', 'dev'].map((name) => `mkdir -p '${root}/${name}' && mount --bind /${name} '${root}/${name}'`)
  const [user] = image.user.split(':')
  const chroot = `exec chroot --userspec=${image.user} --groups=${user} '${root}' ${image.executable} "$@"`
  return ['--mount', 'sh', '-c', `${mounts.join(' && ')} && ${chroot}`, 'sh']
}

test('skopeo finds the image, its digest, and its labels', async () => {
  const inspected = JSON.parse(await command('skopeo', 'inspect', `oci-archive:${join(folder, 'image.tar')}`)) as object
  expect(inspected).toMatchObject({ Digest: digest, Os: 'linux', Labels: image.labels })
})

test('the image has the files that the Dockerfile copies', () => {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const copied = documents.dockerfile.split('\n').flatMap((line) => {
    if (!line.startsWith('COPY ')) return []
    const [to = '', ...from] = line.split(' ').slice(2).toReversed()
    return to.endsWith('/') ? from.map((path) => to + path.slice(path.lastIndexOf('/') + 1)) : [to]
  })
  expect(files.map((entry) => join(entry.parentPath, entry.name).slice(root.length)).toSorted()).toEqual(
    copied.toSorted(),
  )
})

test(
  'the root of the image runs a store, as a user without rights',
  async () => {
    const broker = await sharedKafka()
    await createTopic(broker, topic, { partitions: 1 })
    await new Cluster(broker).produce(topic, [{ key: 'a', value: '{"n":1}' }])
    const settings = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, ...localPort }
    const latchkey = await LatchkeyProcess.start({ path: Bun.which('unshare')!, args: inRoot(), settings })
    try {
      await latchkey.until('it is ready', () => latchkey.isReady())
      expect(await (await latchkey.get(`/stores/${topic}/a`)).text()).toBe('{"n":1}')
      expect(readFileSync(`/proc/${latchkey.pid}/status`, 'utf8')).toContain('\nUid:\t65532\t65532\t65532\t65532\n')
      expect(await latchkey.stop()).toBe(0)
    } finally {
      await latchkey.close()
    }
    expect(existsSync(join(root, 'etc'))).toBe(false)
  },
  timeoutMs,
)
