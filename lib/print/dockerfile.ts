/** A Dockerfile for the executable, which lies beside it: the image that `npm run image` makes, with Debian's glibc. */
import { basename } from 'node:path'
import { debianLibraries, glibcLibraries, image } from './image.ts'

const { loader, folder } = debianLibraries[process.arch] ?? debianLibraries['x64']!
/** The folder in which they are files; the others have symbolic links. */
const from = `/usr${folder}`
const labels = Object.entries(image.labels).map(([name, value]) => `      ${name}=${JSON.stringify(value)}`)

export const dockerfile = `# docker build -t latchkey . with the executable beside this file
FROM debian:12-slim AS glibc

FROM scratch
COPY --from=glibc ${from}${basename(loader)} ${loader}
COPY --from=glibc ${glibcLibraries.map((name) => from + name).join(' ')} ${folder}
COPY --from=glibc ${image.glibcLicense} ${image.glibcLicense}
COPY --chmod=0755 latchkey ${image.executable}
LABEL ${labels.join(' \\\n').trimStart()}
USER ${image.user}
WORKDIR ${image.workingDirectory}
EXPOSE ${image.port}
STOPSIGNAL ${image.stopSignal}
ENTRYPOINT ["${image.executable}"]
`
