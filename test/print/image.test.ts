import { expect, test } from 'bun:test'
import { image } from '../../lib/print/image.ts'
import { documents } from '../../lib/print/index.ts'
import { librariesOf } from '../setup/image/libraries.ts'
import { ociImage } from '../setup/image/oci.ts'
import { tarOf } from '../setup/image/tar.ts'

/** Any that glibc loads, and smaller than Latchkey. */
const executable = '/bin/sh'

interface Descriptor {
  digest: string
  size: number
}

/** Files of an archive by name. */
async function unpacked(archive: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = await new Bun.Archive(archive).files()
  return new Map(await Promise.all([...files].map(async ([name, file]) => [name, await file.bytes()] as const)))
}

test('an image has the executable, the libraries that it needs, and a digest for each part', async () => {
  const { archive, digest } = ociImage(executable, 'latchkey:1')
  const files = await unpacked(archive)
  const blob = ({ digest: wanted, size }: Descriptor) => {
    const data = files.get(`blobs/${wanted.replace(':', '/')}`)!
    expect([`sha256:${new Bun.CryptoHasher('sha256').update(data).digest('hex')}`, data.length]).toEqual([wanted, size])
    return data
  }
  const json = (data: Uint8Array) => JSON.parse(Buffer.from(data).toString()) as unknown
  const { manifests } = json(files.get('index.json')!) as { manifests: [Descriptor] }
  expect(manifests[0].digest).toBe(digest)
  const manifest = json(blob(manifests[0])) as { config: Descriptor; layers: [Descriptor] }
  const layer = Bun.gunzipSync(blob(manifest.layers[0]))
  expect(json(blob(manifest.config))).toMatchObject({
    os: 'linux',
    config: { User: '65532:65532', Entrypoint: ['/latchkey'], StopSignal: 'SIGTERM', ExposedPorts: { '8080/tcp': {} } },
    rootfs: { diff_ids: [`sha256:${new Bun.CryptoHasher('sha256').update(layer).digest('hex')}`] },
  })
  const names = [...(await unpacked(layer)).keys()].filter((name) => `/${name}` !== image.glibcLicense)
  expect(names.toSorted()).toEqual([...librariesOf(executable).map((path) => path.slice(1)), 'latchkey'].toSorted())
})

test('the same executable gives the same image, and another one another', () => {
  const { archive, digest } = ociImage(executable, 'latchkey:1')
  expect(ociImage(executable, 'latchkey:1').archive.equals(archive)).toBe(true)
  expect(ociImage('/bin/ls', 'latchkey:1').digest).not.toBe(digest)
})

test('a file that the loader of glibc cannot read is refused', () => {
  expect(() => ociImage('/etc/passwd', 'latchkey:1')).toThrow('Run it on Linux with glibc.')
})

test('a name that has no room in an archive is refused', () => {
  expect(() => tarOf([{ name: 'x'.repeat(101) }])).toThrow('is too long')
})

test('the Dockerfile says of the image what its configuration says', () => {
  const lines = documents.dockerfile.split('\n')
  for (const line of [
    `USER ${image.user}`,
    `WORKDIR ${image.workingDirectory}`,
    `EXPOSE ${image.port}`,
    `STOPSIGNAL ${image.stopSignal}`,
    `ENTRYPOINT ["${image.executable}"]`,
  ]) {
    expect(lines).toContain(line)
  }
  for (const [name, value] of Object.entries(image.labels)) expect(documents.dockerfile).toContain(`${name}="${value}"`)
})
