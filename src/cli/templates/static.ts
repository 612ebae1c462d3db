import type { StackTemplate } from './files.ts';

/** Small enough to read, and complete: types, no way out of the folder, and a clean end at SIGTERM. */
const SERVER = [
  'import { createReadStream } from "node:fs";',
  'import { stat } from "node:fs/promises";',
  'import { createServer } from "node:http";',
  'import { extname, join, normalize } from "node:path";',
  'const types = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".ico": "image/x-icon", ".woff2": "font/woff2" };',
  'const find = async path => { const at = await stat(path); return at.isDirectory() ? find(join(path, "index.html")) : { path, size: at.size }; };',
  'const server = createServer(async (request, response) => {',
  '  try {',
  '    const path = normalize(decodeURIComponent(new URL(request.url, "http://site").pathname));',
  '    const file = await find(join("site", path));',
  '    response.writeHead(200, { "content-type": types[extname(file.path)] ?? "application/octet-stream", "content-length": file.size });',
  '    if (request.method === "HEAD") response.end(); else createReadStream(file.path).pipe(response);',
  '  } catch { response.writeHead(404, { "content-type": "text/plain" }).end("not found"); }',
  '}).listen(process.env.PORT);',
  'process.on("SIGTERM", () => server.close());',
];

export const staticStack: StackTemplate = {
  name: 'static files',
  testCommands: [],
  healthCheckPath: '/',
  bringsServer: true,
  dockerfile: `FROM public.ecr.aws/docker/library/node:24-alpine
ENV PORT=8080
WORKDIR /app
RUN printf '%s\\n' \\
${SERVER.map(line => `  '${line}'`).join(' \\\n')} \\
  > server.mjs
COPY . site/
USER 1001:1001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \\
  CMD node -e "fetch('http://127.0.0.1:' + process.env.PORT).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "server.mjs"]
`,
};
