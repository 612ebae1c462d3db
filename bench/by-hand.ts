/* What a person types who builds and starts the example without Tandem: the floor of the journey. Milliseconds. */
import { spawn } from 'node:child_process';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExampleCloud } from './example-cloud.ts';
import { timed } from './example-cloud.ts';

export type Row = [what: string, ms: number];

export interface ByHand {
  readonly name: string;
  /** The commands of the buildspec, for the commit that is checked out. */
  build(): Promise<Row[]>;
  /** Two regions with two tasks each: four servers at once, until all answer. */
  start(): Promise<Row>;
}

/** Not even an image: the commands of the Dockerfile in a folder, and the servers as plain processes. */
export class BareCommands implements ByHand {
  readonly name = 'the bare commands';
  readonly #cloud: ExampleCloud;
  readonly #image: string;

  constructor(cloud: ExampleCloud, folder: string) {
    this.#cloud = cloud;
    this.#image = join(folder, 'image');
  }

  async build(): Promise<Row[]> {
    const image = this.#image;
    await rm(image, { recursive: true, force: true });
    const rows: Row[] = [
      ...(await installAndTest(this.#cloud)),
      [
        'the image: npm ci --omit=dev, copy the files',
        await timed(async () => {
          await mkdir(image, { recursive: true });
          for (const name of ['package.json', 'package-lock.json', 'server.mjs', 'healthcheck.cjs', 'app'])
            await cp(join(this.#cloud.folder, name), join(image, name), { recursive: true });
          await this.#cloud.command('npm', 'ci', '--omit=dev', '--prefix', image);
        }),
      ],
    ];
    await rm(join(this.#cloud.folder, 'node_modules'), { recursive: true, force: true });
    return rows;
  }

  async start(): Promise<Row> {
    const ms = await timed(() => Promise.all([1, 2, 3, 4].map(() => startServer(this.#image))));
    return ['4 of node server.mjs at once, until all answer', ms];
  }
}

/** `npm ci` and `npm test`, as the buildspec has them. */
export async function installAndTest(cloud: ExampleCloud): Promise<Row[]> {
  return [
    ['npm ci', await timed(() => cloud.command('npm', 'ci'))],
    ['npm test', await timed(() => cloud.command('npm', 'test'))],
  ];
}

async function startServer(folder: string): Promise<void> {
  const child = spawn(process.execPath, ['server.mjs'], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`server.mjs ended with exit code ${code}`)));
    child.stdout.on('data', (text: Buffer) => {
      const found = /port (\d+)/.exec(text.toString())?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  await (await fetch(`http://127.0.0.1:${port}/health`)).arrayBuffer();
  child.removeAllListeners('exit').kill('SIGKILL');
}
