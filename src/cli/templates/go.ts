import type { StackTemplate } from './files.ts';

export const goStack: StackTemplate = {
  name: 'Go',
  testCommands: ['go vet ./...', 'go test ./...'],
  dockerfile: `FROM public.ecr.aws/docker/library/golang:1.25-alpine AS build
WORKDIR /source
COPY go.* ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -o /application .

FROM public.ecr.aws/docker/library/alpine:3.22
ENV PORT=8080
COPY --from=build /application /application
USER 1001:1001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \\
  CMD wget -q -O /dev/null "http://127.0.0.1:$PORT/health"
CMD ["/application"]
`,
};
