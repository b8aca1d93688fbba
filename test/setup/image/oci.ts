/**
 * An image as an OCI archive, with one layer (OCI Image Format 1.1), without Docker. The same files give the same digest:
 * nothing in it depends on the time or on who makes it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { image } from '../../../lib/print/image.ts'
import { librariesOf } from './libraries.ts'
import { type TarEntry, tarOf, withFolders } from './tar.ts'

export interface OciImage {
  /** Of the manifest, as `sha256:…`. */
  readonly digest: string
  readonly archive: Buffer<ArrayBuffer>
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** @param name with a tag, for who loads it */
export function ociImage(executable: string, name: string): OciImage {
  const layer = tarOf(withFolders(filesOf(executable)))
  const packed = Buffer.from(Bun.gzipSync(layer, { level: 6 }))
  const created = '1970-01-01T00:00:00Z'
  const config = jsonOf({
    created,
    architecture: architectures[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      User: image.user,
      ExposedPorts: { [`${image.port}/tcp`]: {} },
      Entrypoint: [image.executable],
      WorkingDir: image.workingDirectory,
      Labels: image.labels,
      StopSignal: image.stopSignal,
    },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created, created_by: 'npm run image' }],
  })
  const manifest = jsonOf({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptorOf('application/vnd.oci.image.layer.v1.tar+gzip', packed)],
    annotations: image.labels,
  })
  const annotations = { 'org.opencontainers.image.ref.name': name }
  const index = jsonOf({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...descriptorOf('application/vnd.oci.image.manifest.v1+json', manifest), annotations }],
  })
  const blobs = [config, manifest, packed].map((data) => ({ name: `blobs/${digestOf(data).replace(':', '/')}`, data }))
  const layout = { name: 'oci-layout', data: jsonOf({ imageLayoutVersion: '1.0.0' }) }
  const archive = tarOf(withFolders([layout, { name: 'index.json', data: index }, ...blobs]))
  return { digest: digestOf(manifest), archive }
}

function filesOf(executable: string): TarEntry[] {
  const paths = [...librariesOf(executable), ...(existsSync(image.glibcLicense) ? [image.glibcLicense] : [])]
  const files = paths.map((path): TarEntry => {
    return { name: path.slice(1), data: readFileSync(path), mode: path === image.glibcLicense ? 0o644 : 0o755 }
  })
  return [...files, { name: image.executable.slice(1), data: readFileSync(executable), mode: 0o755 }]
}

function descriptorOf(mediaType: string, data: Uint8Array) {
  return { mediaType, digest: digestOf(data), size: data.length }
}

function digestOf(data: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher('sha256').update(data).digest('hex')}`
}

function jsonOf(value: object): Buffer<ArrayBuffer> {
  return Buffer.from(JSON.stringify(value))
}
