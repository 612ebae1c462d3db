import type { StackTemplate } from './files.ts';

interface Manifest {
  main?: string;
  scripts?: Record<string, string>;
}

/** `manifest`: the text of package.json. */
export function nodeStack(manifest: string, { hasLock }: { hasLock: boolean }): StackTemplate {
  const install = hasLock ? 'npm ci' : 'npm install';
  return {
    name: 'Node.js',
    testCommands: [install, 'npm test --if-present'],
    dockerfile: `FROM public.ecr.aws/docker/library/node:24-alpine AS dependencies
WORKDIR /app
COPY package*.json ./
RUN ${install} --omit=dev

FROM public.ecr.aws/docker/library/node:24-alpine
ENV NODE_ENV=production PORT=8080
WORKDIR /app
COPY --from=dependencies /app/ ./
COPY . .
USER 1001:1001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \\
  CMD node -e "fetch('http://127.0.0.1:' + process.env.PORT + '/health').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
CMD ${JSON.stringify(startCommand(manifest))}
`,
  };
}

/** npm would stand between the container and the application, and swallow SIGTERM: node itself, where it can be told. */
function startCommand(manifest: string): string[] {
  const { scripts, main } = parse(manifest);
  const start = scripts?.['start'];
  const words = start?.split(/\s+/) ?? [];
  if (words[0] === 'node' && words.every(word => /^[\w./@=-]+$/.test(word))) return words;
  return start === undefined ? ['node', main ?? 'index.js'] : ['npm', 'start'];
}

function parse(manifest: string): Manifest {
  try {
    return JSON.parse(manifest) as Manifest;
  } catch {
    return {};
  }
}
