import { dirname, join } from 'node:path';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, symlinkSync } from '../../../../platform/files.ts';
import { sha256, sha256File } from '../../../../platform/hash.ts';
import { cleanPath } from '../context/ignore.ts';
import { walk, type FileSource, type SourceItem } from '../context/file-source.ts';
import { invalid, unsupported, type Instruction } from '../dockerfile/instruction.ts';
import { findStage } from '../dockerfile/stages.ts';
import { findSources } from './copy-sources.ts';
import { StageFiles } from './stage-files.ts';
import type { Stage } from './stage.ts';

/** RUN --mount, ready to be mounted: a path of this machine at a path of the image; no source: an empty folder. */
export interface PreparedMount {
  type: 'cache' | 'bind' | 'tmpfs';
  target: string;
  source?: string;
  isFile: boolean;
}

interface RequestedMount {
  type: PreparedMount['type'];
  target: string;
  id: string;
  source: string;
  from?: string;
}

/** What RUN --mount may say: `type=cache,target=…[,id=…][,sharing=shared]`, `type=bind,source=…,target=…[,from=…]`, `type=tmpfs,target=…`. */
export function parseMounts(
  stage: Stage,
  instruction: Instruction,
  values: readonly string[],
): RequestedMount[] {
  return values.map(value => {
    const options = new Map(
      value.split(',').map(part => {
        const equals = part.indexOf('=');
        const [name, text] = equals < 0 ? [part, 'true'] : [part.slice(0, equals), part.slice(equals + 1)];
        return [name.toLowerCase(), stage.expand(instruction, text)] as const;
      }),
    );
    return readMount(stage, instruction, options);
  });
}

const ALIASES: Readonly<Record<string, string>> = {
  dst: 'target',
  destination: 'target',
  src: 'source',
  ro: 'readonly',
  rw: 'readwrite',
};
const KNOWN_OPTIONS: Readonly<Record<PreparedMount['type'], readonly string[]>> = {
  // Owner and mode of a cache folder do not matter: RUN always may write it.
  cache: ['type', 'target', 'id', 'sharing', 'mode', 'uid', 'gid', 'readwrite'],
  bind: ['type', 'target', 'source', 'from', 'readonly', 'readwrite'],
  tmpfs: ['type', 'target', 'size'],
};

function readMount(stage: Stage, instruction: Instruction, given: Map<string, string>): RequestedMount {
  const options = new Map([...given].map(([name, value]) => [ALIASES[name] ?? name, value]));
  const type = options.get('type') ?? 'bind';
  if (type !== 'cache' && type !== 'bind' && type !== 'tmpfs')
    throw unsupported(instruction, `--mount=type=${type} is not carried out here`);
  for (const name of options.keys())
    if (!KNOWN_OPTIONS[type].includes(name))
      throw unsupported(instruction, `the option "${name}" of --mount=type=${type} is not carried out here`);
  const sharing = options.get('sharing') ?? 'shared';
  if (sharing !== 'shared')
    throw unsupported(instruction, `--mount=type=cache with sharing=${sharing} is not carried out here`);
  const target = options.get('target');
  if (target === undefined || target === '')
    throw invalid(instruction, `--mount=type=${type} needs a target`);
  const absolute = target.startsWith('/') ? target : `${stage.workingFolder}/${target}`;
  const from = options.get('from');
  return {
    type,
    target: `/${cleanPath(absolute)}`,
    id: options.get('id') ?? absolute,
    source: options.get('source') ?? '.',
    ...(from === undefined ? {} : { from }),
  };
}

/** What a RUN sees of its bind mounts, for the cache's key. */
export async function describeMounts(
  stage: Stage,
  instruction: Instruction,
  mounts: readonly RequestedMount[],
): Promise<unknown> {
  const described: unknown[] = [];
  for (const mount of mounts) {
    if (mount.type !== 'bind') {
      described.push(mount);
      continue;
    }
    const items = bindItems(instruction, await bindSource(stage, instruction, mount), mount);
    described.push([
      mount,
      items.map(({ path, type, mode, target, content }) => [
        path,
        type,
        mode,
        target,
        content && sha256File(content.path),
      ]),
    ]);
  }
  return described;
}

export async function prepareMounts(
  stage: Stage,
  instruction: Instruction,
  mounts: readonly RequestedMount[],
): Promise<PreparedMount[]> {
  const prepared: PreparedMount[] = [];
  for (const mount of mounts) {
    const { type, target } = mount;
    if (type === 'tmpfs') {
      prepared.push({ type, target, isFile: false });
    } else if (type === 'cache') {
      const source = join(stage.session.mountFolder, sha256(mount.id).slice(0, 32));
      mkdirSync(source, { recursive: true });
      prepared.push({ type, target, source, isFile: false });
    } else {
      const items = bindItems(instruction, await bindSource(stage, instruction, mount), mount);
      prepared.push({ type, target, ...copyAside(stage.session.workFolder, items) });
    }
  }
  return prepared;
}

async function bindSource(
  stage: Stage,
  instruction: Instruction,
  mount: RequestedMount,
): Promise<FileSource> {
  if (mount.from === undefined) return stage.session.context;
  const { plans, stages } = stage.session;
  const plan = findStage(mount.from, plans.slice(0, stage.plan.index));
  if (plan === undefined)
    throw unsupported(
      instruction,
      `--mount from=${mount.from} names no earlier stage, and no image is pulled`,
    );
  const from = stages.get(plan.index)!;
  return new StageFiles(from.title, await from.tree(), await from.root());
}

function bindItems(instruction: Instruction, source: FileSource, mount: RequestedMount): SourceItem[] {
  const [found] = findSources(instruction, source, mount.source);
  const start = found!.item.path;
  return [...walk(source, start)].map(item => ({
    ...item,
    path: item.path === start ? '' : item.path.slice(start === '' ? 0 : start.length + 1),
  }));
}

/** A copy, so that .dockerignore holds and nothing that RUN does reaches the original. */
function copyAside(workFolder: string, items: readonly SourceItem[]): { source: string; isFile: boolean } {
  const copy = join(mkdtempSync(join(workFolder, 'bind-')), 'source');
  for (const { path, type, mode, target, content } of items) {
    const place = join(copy, path);
    if (type === 'folder') mkdirSync(place, { recursive: true });
    else mkdirSync(dirname(place), { recursive: true });
    if (type === 'link') symlinkSync(target!, place);
    if (type !== 'file') continue;
    copyFileSync(content!.path, place);
    chmodSync(place, mode | 0o600);
  }
  return { source: copy, isFile: items[0]!.type === 'file' };
}
