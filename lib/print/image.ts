/** What the container image is, for the Dockerfile and for `npm run image`: the executable and the files of glibc that it names. */
import { description, version } from '../../package.json' with { type: 'json' }

export const image = {
  executable: '/latchkey',
  /** The number that images without root use by custom. */
  user: '65532:65532',
  port: 8080,
  stopSignal: 'SIGTERM',
  /** Relative paths and .env are looked for here. */
  workingDirectory: '/',
  labels: {
    'org.opencontainers.image.title': 'latchkey',
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'MIT AND LGPL-2.1-or-later',
  },
  /** Licence of glibc, as Debian has it. */
  glibcLicense: '/usr/share/doc/libc6/copyright',
} as const

/** Where Debian's glibc is, by processor as Node.js names it. */
export const debianLibraries: Readonly<Record<string, { readonly loader: string; readonly folder: string }>> = {
  x64: { loader: '/lib64/ld-linux-x86-64.so.2', folder: '/lib/x86_64-linux-gnu/' },
  arm64: { loader: '/lib/ld-linux-aarch64.so.1', folder: '/lib/aarch64-linux-gnu/' },
}

/** Besides the loader. */
export const glibcLibraries = ['libc.so.6', 'libdl.so.2', 'libm.so.6', 'libpthread.so.0'] as const
