// The container's health check: exits with 0 where /health answers 200. Needs nothing that the image does not have.
// CommonJS, because `import … from 'node:http'` takes Node.js twice as long to load, and this runs in every task, always.
const { get } = require('node:http');

const port = Number(process.env.PORT ?? 8080);
const request = get({ host: '127.0.0.1', port, path: '/health', timeout: 2_000 }, response => {
  process.exit(response.statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => process.exit(1));
request.on('error', () => process.exit(1));
