import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { codecommitCredentials } from '../../src/aws/lambda/replication/codecommit-credentials.ts';
import { parseInstant } from '../../src/core/instant.ts';

/** A fault of the next requests that fit: what CodeCommit, or the way to it, may do. */
type Fault =
  /** Nothing is answered. */
  | 'refuse'
  /** The first bytes arrive, the rest never does. */
  | 'cut-request'
  /** Everything is done; only the answer is lost. */
  | 'lose-answer';

export interface GitServer extends AsyncDisposable {
  /** Where a region's repository answers. */
  url(region: string, repository: string): string;
  /** The folder of a region's bare repository. */
  folder(region: string): string;
  /** Requests that wanted to change something, by region. */
  pushes: string[];
  /** What the next push to this region meets. */
  faults: Map<string, Fault>;
  /** Called when a push to this region has come in, before Git sees it. */
  beforePush: Map<string, () => void>;
  /** The endpoint of CodeCommit's API, as far as replication asks. */
  apiUrl: string;
}

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' };
/** For the SDK's clients and for the functions' signatures. */
export const CREDENTIAL_VARIABLES = {
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
};

/**
 * CodeCommit as far as Git goes: a bare repository a region, served by `git http-backend` to who signs as CodeCommit
 * wants it, and merge bases by `git merge-base`.
 */
export async function startGitServer(
  root: string,
  regions: readonly string[],
  repository: string,
): Promise<GitServer> {
  const folder = (region: string) => join(root, region, 'v1', 'repos', repository);
  for (const region of regions) {
    git(root, 'init', '--quiet', '--bare', '--initial-branch=main', folder(region));
  }
  const pushes: string[] = [];
  const faults: GitServer['faults'] = new Map();
  const beforePush: GitServer['beforePush'] = new Map();
  const server = createServer((incoming, outgoing) => {
    if (incoming.method === 'POST' && incoming.url === '/') {
      void answerApi(incoming, outgoing, folder);
      return;
    }
    const [, region = '', ...rest] = incoming.url!.split('/');
    const url = new URL(`/${rest.join('/')}`, `http://${incoming.headers.host}`);
    if (!isSigned(incoming, region, repository)) {
      outgoing.writeHead(403).end('the signature does not fit');
      return;
    }
    const isPush = incoming.method === 'POST' && url.pathname.endsWith('/git-receive-pack');
    if (isPush) {
      pushes.push(region);
      beforePush.get(region)?.();
    }
    const fault = isPush ? faults.get(region) : undefined;
    if (fault === 'refuse') outgoing.destroy();
    else serve(incoming, outgoing, { url, projectRoot: join(root, region), fault });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (region, name) => `http://127.0.0.1:${port}/${region}/v1/repos/${name}`,
    apiUrl: `http://127.0.0.1:${port}`,
    folder,
    pushes,
    faults,
    beforePush,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();
}

/** Whether user and password are those of CodeCommit's scheme, for the time that the password names. */
function isSigned({ headers }: IncomingMessage, region: string, repository: string): boolean {
  const [, encoded = ''] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
  const [, username, password = ''] = /^(.*?):(.*)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(password);
  if (time === null) return false;
  const [, year, month, day, hour, minute, second] = time;
  const url = `http://127.0.0.1/${region}/v1/repos/${repository}`;
  const at = parseInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)!;
  const expected = codecommitCredentials(CREDENTIALS, { url, region, at });
  return expected.username === username && expected.password === password;
}

interface Service {
  url: URL;
  projectRoot: string;
  fault: Fault | undefined;
}

/** One CGI request (git-http-backend manual). */
function serve(incoming: IncomingMessage, outgoing: ServerResponse, { url, projectRoot, fault }: Service) {
  const backend = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: projectRoot,
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: 'tandem',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: incoming.method,
      CONTENT_TYPE: incoming.headers['content-type'] ?? '',
    },
  });
  backend.stdin.on('error', () => undefined);
  if (fault === 'cut-request') {
    incoming.once('data', (chunk: Buffer) => {
      backend.stdin.end(chunk.subarray(0, 200));
      outgoing.destroy();
    });
  } else {
    incoming.pipe(backend.stdin);
  }
  const output: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  backend.on('close', () => {
    if (fault !== undefined) {
      outgoing.destroy();
      return;
    }
    const all = Buffer.concat(output);
    const end = all.indexOf('\r\n\r\n');
    const headers = all
      .toString('latin1', 0, end)
      .split('\r\n')
      .map(line => line.split(': ', 2) as [string, string]);
    const status = headers.find(([name]) => name === 'Status');
    outgoing.writeHead(
      status === undefined ? 200 : Number.parseInt(status[1], 10),
      Object.fromEntries(headers.filter(([name]) => name !== 'Status')),
    );
    outgoing.end(all.subarray(end + 4));
  });
}

/** GetMergeConflicts, which knows only commits of its own region. */
async function answerApi(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  folder: (region: string) => string,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const request = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
  const [, region = ''] = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(incoming.headers.authorization ?? '') ?? [];
  const source = request['sourceCommitSpecifier']!;
  const destination = request['destinationCommitSpecifier']!;
  const reply = (status: number, body: unknown) =>
    outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  try {
    git(folder(region), 'cat-file', '-e', `${source}^{commit}`);
    git(folder(region), 'cat-file', '-e', `${destination}^{commit}`);
  } catch {
    reply(400, { __type: 'CommitDoesNotExistException', message: 'no such commit' });
    return;
  }
  let baseCommitId: string | undefined;
  try {
    baseCommitId = git(folder(region), 'merge-base', source, destination);
  } catch {
    // Histories without a common commit.
  }
  reply(200, {
    mergeable: baseCommitId === destination,
    sourceCommitId: source,
    destinationCommitId: destination,
    conflictMetadataList: [],
    ...(baseCommitId !== undefined && { baseCommitId }),
  });
}
