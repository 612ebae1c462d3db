import type { StackTemplate } from './files.ts';

/** `requirements`: the text of requirements.txt. `main`: the file that starts the application. */
export function pythonStack(requirements: string, main: string): StackTemplate {
  const hasPytest = /^\s*pytest\b/im.test(requirements);
  return {
    name: 'Python',
    testCommands: [
      'python3 -m venv "$TMPDIR/venv" && . "$TMPDIR/venv/bin/activate" && pip install --requirement requirements.txt',
      hasPytest ? 'python3 -m pytest' : 'python3 -m compileall -q .',
    ],
    dockerfile: `FROM public.ecr.aws/docker/library/python:3.13-slim AS dependencies
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --target packages --requirement requirements.txt

FROM public.ecr.aws/docker/library/python:3.13-slim
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/app/packages PORT=8080
WORKDIR /app
COPY --from=dependencies /app/packages packages/
COPY . .
USER 1001:1001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \\
  CMD python3 -c "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"
CMD ["python3", ${JSON.stringify(main)}]
`,
  };
}
