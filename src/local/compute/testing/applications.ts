/** Small applications, one file each, as images of tests run them. */

const SERVE = `
const http = require('node:http');
const server = http.createServer((request, response) => handle(request, response));
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening on ' + process.env.PORT));
process.on('SIGTERM', () => { console.log('stopping'); server.close(() => process.exit(0)); });
`;

/** Answers everything with its release; `/slow` after 300 ms; ends as asked by SIGTERM. */
export const WELL = `
function handle(request, response) {
  const answer = () => response.end(process.env.RELEASE + ' ' + process.env.TASK_ID);
  if (request.url === '/slow') setTimeout(answer, 300); else answer();
}
${SERVE}`;

export const CRASHES = `console.log('starting'); require('a-module-that-is-not-there');`;

/** Listens, and fails every health check. */
export const NEVER_HEALTHY = `
function handle(request, response) { response.statusCode = request.url === '/health' ? 503 : 200; response.end(); }
${SERVE}`;

/** Healthy until somebody asks for `/break` of this very task. */
export const BREAKS_ON_REQUEST = `
let broken = false;
function handle(request, response) {
  if (request.url === '/break') broken = true;
  response.statusCode = request.url === '/health' && broken ? 500 : 200;
  response.end(process.env.TASK_ID);
}
${SERVE}`;

/** Healthy for a moment, then it exits. */
export const FADES = `
function handle(request, response) { response.end(); }
setTimeout(() => { console.error('Error: out of luck'); process.exit(3); }, 400);
${SERVE}`;

/** Does not end when asked, and has a child that would outlive it in a session of its own. */
export const STUBBORN = `
const { spawn } = require('node:child_process');
function handle(request, response) { response.end(String(child.pid)); }
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
const http = require('node:http');
http.createServer((request, response) => handle(request, response)).listen(process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => console.log('I stay'));
`;

/** Takes memory from the moment it is asked to. */
export const LEAKS = `
const kept = [];
function handle(request, response) {
  response.end();
  if (request.url === '/leak') setInterval(() => kept.push(Buffer.alloc(8 * 1024 * 1024, 1)), 10);
}
${SERVE}`;

/** Like `WELL`, and takes a while to listen. */
export const WELL_LATER = `setTimeout(() => { ${WELL} }, 200);`;

/** Writes two megabytes of numbered lines as fast as it can. */
export const NOISY = `
${WELL}
const lines = Array.from({ length: 20_000 }, (_, index) => 'line ' + index + ' ' + 'ä'.repeat(50) + '\\n');
process.stdout.write(lines.join(''), () => setTimeout(() => console.log('the end'), 300));
`;

/** Exits with code 42 when asked for `/exit`. */
export const EXITS_ON_REQUEST = `
function handle(request, response) {
  if (request.url === '/exit') { console.error('Error: asked to'); process.exit(42); }
  response.end();
}
${SERVE}`;

/** Prints each path that is asked for. */
export const TALKS = `
function handle(request, response) { console.log(request.url); response.end(); }
${SERVE}`;

/** Exits before it listens. */
export const FADES_SOON = `setTimeout(() => process.exit(5), 200);`;
