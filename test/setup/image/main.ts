/** `npm run image`: the executable that was built becomes an OCI archive beside it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { version } from '../../../package.json' with { type: 'json' }
import { root } from '../../style/repository.ts'
import { ociImage } from './oci.ts'

const name = `latchkey:${version}`
const path = join(root, 'dist/latchkey.oci.tar')
const { digest, archive } = ociImage(join(root, 'dist/latchkey'), name)
writeFileSync(path, archive)
console.log(`dist/latchkey.oci.tar: ${name}, ${Math.round(archive.length / 1e6)} MB, ${digest}

podman load -i dist/latchkey.oci.tar                                           also: docker load, from 25 on
skopeo copy oci-archive:dist/latchkey.oci.tar docker://registry.example/${name}`)
