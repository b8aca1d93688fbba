/** A Dockerfile for the executable, which lies beside it. */

export const dockerfile = `# docker build -t latchkey . with the executable beside this file
FROM gcr.io/distroless/base-debian12:nonroot
COPY latchkey /latchkey
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/latchkey"]
`
