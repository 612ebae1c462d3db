import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { systemClock } from '../../../../platform/clock.ts';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  tmpdir,
  writeFileSync,
} from '../../../../platform/files.ts';
import { buildImage, type ImageBuild } from '../build-image.ts';
import { ImageStore, type LocalImage } from '../store/image-store.ts';

/** One file of an image as its layers leave it. */
interface ImageFile {
  type: string;
  mode: number;
  uid: number;
  gid: number;
  target?: string;
  text: string;
}

interface BuiltForTest {
  image: LocalImage;
  /** By path, without the leading slash; folders too. */
  files: Map<string, ImageFile>;
  /** What docker build printed. */
  output: string;
}

type BuildOptions = Partial<Omit<ImageBuild, 'buildArguments'>> & { buildArguments?: Record<string, string> };

/** A build context, a build folder and a cache in one temporary folder. */
export class BuildFixture {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-image-'));
  readonly contextFolder = join(this.folder, 'context');
  readonly buildFolder = join(this.folder, 'build');
  readonly cacheFolder = join(this.folder, 'cache');

  constructor(files: Record<string, string> = {}) {
    mkdirSync(this.contextFolder);
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const place = join(this.contextFolder, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }

  /** Builds `dockerfileText` and reads the image back from its blobs. */
  build(dockerfileText: string, options: BuildOptions = {}): Promise<BuiltForTest> {
    return this.buildFile('Dockerfile', { dockerfileText, ...options });
  }

  /** The same of the Dockerfile at a path. */
  async buildFile(dockerfile: string, options: BuildOptions = {}): Promise<BuiltForTest> {
    const { buildArguments, ...rest } = options;
    let output = '';
    const image = await buildImage({
      contextFolder: this.contextFolder,
      dockerfile,
      buildArguments: new Map(Object.entries(buildArguments ?? {})),
      labels: {},
      useCache: true,
      createdAt: 0,
      folder: this.buildFolder,
      cacheFolder: this.cacheFolder,
      clock: systemClock,
      write: text => (output += text),
      signal: new AbortController().signal,
      ...rest,
    });
    return { image, files: await readFiles(new ImageStore(rest.folder ?? this.buildFolder), image), output };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function readFiles(store: ImageStore, image: LocalImage): Promise<Map<string, ImageFile>> {
  const files = new Map<string, ImageFile>();
  for (const { digest } of image.manifest.layers)
    await applyLayer(files, gunzipSync(readFileSync(store.blobPath(digest))));
  return files;
}

/** Written apart from the product's own reading of layers, so that a fault of one does not hide a fault of the other. */
async function applyLayer(files: Map<string, ImageFile>, tar: Buffer): Promise<void> {
  const reading = extract();
  reading.end(tar);
  for await (const entry of reading) {
    const { name, type, mode, uid, gid, linkname } = entry.header;
    const path = name.replace(/\/$/, '');
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    const slash = path.lastIndexOf('/') + 1;
    if (path.slice(slash).startsWith('.wh.')) {
      const removed = path.slice(0, slash) + path.slice(slash + '.wh.'.length);
      for (const known of files.keys())
        if (known === removed || known.startsWith(`${removed}/`)) files.delete(known);
      continue;
    }
    const target = linkname ? { target: linkname } : {};
    files.set(path, { type, mode, uid, gid, ...target, text: Buffer.concat(chunks).toString() });
  }
}
