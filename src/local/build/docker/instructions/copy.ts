import { sha256, sha256File } from '../../../../platform/hash.ts';
import type { NewLayerEntry } from '../layers/entry.ts';
import { walk, type FileSource, type SourceItem } from '../context/file-source.ts';
import { expandWord } from '../dockerfile/expand.ts';
import { checkFlags } from '../dockerfile/flags.ts';
import { invalid, unsupported, type Instruction } from '../dockerfile/instruction.ts';
import { expansionFor, findStage } from '../dockerfile/stages.ts';
import { parseExecForm, splitWords } from '../dockerfile/words.ts';
import { unpackArchive } from './archive.ts';
import { findSources } from './copy-sources.ts';
import { placeCopies, type CopyFrom } from './copy-destination.ts';
import { StageFiles } from './stage-files.ts';
import type { Stage, StepOutcome } from './stage.ts';
import { resolveOwner, type Owner } from './users.ts';

/** COPY and ADD: what to copy, where to, and as whose. */
interface CopyRequest {
  sources: string[];
  /** Here-documents given as sources: name and text. */
  documents: { name: string; content: string }[];
  destination: string;
  owner?: Owner;
  mode?: number;
  fromStage?: Stage;
}

export async function applyCopy(stage: Stage, instruction: Instruction): Promise<StepOutcome> {
  const request = await readRequest(stage, instruction);
  const createdBy = `${instruction.original} # tandem`;
  const { fromStage } = request;
  const settled = [request.destination, stage.workingFolder, request.owner, request.mode, request.documents];
  // Files of a stage are known by the stage's own layers; those of the context by their content.
  if (fromStage !== undefined) {
    const key = stage.cacheKey(instruction, [settled, fromStage.filesKey(), request.sources]);
    if (await stage.takeCached(key, createdBy)) return 'cached';
    const files = new StageFiles(fromStage.title, await fromStage.tree(), await fromStage.root());
    const copies = collect(instruction, files, request);
    return stage.addFiles(key, await place(stage, instruction, request, copies), createdBy);
  }
  const copies = collect(instruction, stage.session.context, request);
  if (instruction.keyword === 'ADD') await unpackArchives(stage, instruction, copies);
  const hashed = copies.map(hashContent);
  const key = stage.cacheKey(instruction, [settled, hashed.map(describeForKey)]);
  if (await stage.takeCached(key, createdBy)) return 'cached';
  return stage.addFiles(key, await place(stage, instruction, request, hashed), createdBy);
}

async function readRequest(stage: Stage, instruction: Instruction): Promise<CopyRequest> {
  const isAdd = instruction.keyword === 'ADD';
  const flags = checkFlags(instruction, {
    values: isAdd ? ['chown', 'chmod'] : ['from', 'chown', 'chmod'],
    switches: ['link'],
    unsupported: {
      parents: 'is not carried out here',
      exclude: 'is not carried out here',
      ...(isAdd ? { checksum: 'is for downloads', 'keep-git-dir': 'is for Git repositories' } : {}),
    },
  });
  const words = parseExecForm(instruction.text) ?? splitWords(instruction.text, instruction.escape);
  if (words.length < 2) throw invalid(instruction, 'it needs at least one source and a destination');
  const expand = (word: string) => stage.expand(instruction, word);
  const given = words.slice(0, -1);
  const destination = expand(words.at(-1)!);
  if (destination === '') throw invalid(instruction, 'its destination expands to nothing');
  const chown = flags.get('chown')?.at(-1);
  const chmod = flags.get('chmod')?.at(-1);
  const from = flags.get('from')?.at(-1);
  return {
    sources: given.filter(word => !word.startsWith('<<')).map(word => sourcePath(instruction, expand(word))),
    documents: readDocuments(stage, instruction, given),
    destination,
    ...(chown === undefined ? {} : { owner: await resolveOwner(stage, instruction, expand(chown)) }),
    ...(chmod === undefined ? {} : { mode: parseMode(instruction, expand(chmod)) }),
    ...(from === undefined ? {} : { fromStage: sourceStage(stage, instruction, from) }),
  };
}

function readDocuments(stage: Stage, instruction: Instruction, given: string[]) {
  const wanted = given.filter(word => word.startsWith('<<'));
  if (wanted.length !== instruction.heredocs.length)
    throw unsupported(
      instruction,
      `the here-document ${wanted[0]!} is not read for ${instruction.keyword}`,
      'Use COPY with <<NAME.',
    );
  return instruction.heredocs.map(({ name, content, expand }) => ({
    name,
    content: expand ? expandDocument(stage, instruction, content) : content,
  }));
}

/** In a here-document quotes are text, as in the shell; only variables are replaced. */
function expandDocument(stage: Stage, instruction: Instruction, content: string): string {
  const expansion = expansionFor(instruction, name => stage.lookup(name));
  const guarded = content.replace(/["']/g, quote => `${instruction.escape}${quote}`);
  return expandWord(guarded, expansion);
}

function sourcePath(instruction: Instruction, source: string): string {
  if (/^(?:https?|ftp):\/\//i.test(source) || /^git@|\.git(?:#.*)?$/.test(source))
    throw unsupported(
      instruction,
      `${source} would be downloaded while the image is built`,
      'Put the file into the repository, or start Docker or Podman and push again.',
    );
  const depth = source.split('/').reduce((level, part) => {
    if (level < 0 || part === '' || part === '.') return level;
    return part === '..' ? level - 1 : level + 1;
  }, 0);
  if (depth < 0) throw invalid(instruction, `forbidden path outside the build context: ${source}`);
  return source;
}

function parseMode(instruction: Instruction, text: string): number {
  if (!/^[0-7]{3,4}$/.test(text))
    throw invalid(instruction, `--chmod takes octal digits as 755 or 0644, not "${text}"`);
  return Number.parseInt(text, 8);
}

function sourceStage(stage: Stage, instruction: Instruction, from: string): Stage {
  const { plans, stages } = stage.session;
  const found = findStage(from, plans.slice(0, stage.plan.index));
  if (found !== undefined) return stages.get(found.index)!;
  if (/^\d+$/.test(from) || findStage(from, plans) !== undefined)
    throw invalid(instruction, `--from=${from} names no earlier stage`);
  throw unsupported(
    instruction,
    `--from=${from} names an image, and none is pulled`,
    'Name an earlier stage of this Dockerfile, or start Docker or Podman and push again.',
  );
}

function collect(instruction: Instruction, source: FileSource, request: CopyRequest): CopyFrom[] {
  const fromSource = request.sources.flatMap(pattern =>
    findSources(instruction, source, pattern).map(({ item, name }) => ({
      name,
      isFolder: item.type === 'folder',
      items: [...walk(source, item.path)].map(found => ({
        ...found,
        path: found.path === item.path ? '' : found.path.slice(item.path === '' ? 0 : item.path.length + 1),
      })),
    })),
  );
  const documents = request.documents.map(({ name, content }): CopyFrom => {
    const bytes = Buffer.from(content);
    const item: SourceItem & { bytes: Uint8Array } = {
      path: '',
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      bytes,
    };
    return { name, isFolder: false, items: [item] };
  });
  return [...fromSource, ...documents];
}

async function place(
  stage: Stage,
  instruction: Instruction,
  request: CopyRequest,
  copies: CopyFrom[],
): Promise<NewLayerEntry[]> {
  return placeCopies(await stage.tree(), copies, {
    destination: request.destination,
    workingFolder: stage.workingFolder,
    owner: request.owner,
    mode: request.mode,
    refuse(problem) {
      throw invalid(instruction, problem);
    },
  });
}

/** ADD unpacks a local archive into the destination: the archive's entries take its place. */
async function unpackArchives(stage: Stage, instruction: Instruction, copies: CopyFrom[]): Promise<void> {
  for (const copy of copies) {
    const path = copy.isFolder ? undefined : copy.items[0]?.content?.path;
    if (path === undefined) continue;
    const items = await unpackArchive(stage.session, instruction, path);
    if (items === undefined) continue;
    copy.isFolder = true;
    copy.items = items;
  }
}

function hashContent(copy: CopyFrom): CopyFrom {
  const items = copy.items.map(item =>
    item.content === undefined ? item : { ...item, sha256: sha256File(item.content.path) },
  );
  return { ...copy, items };
}

function describeForKey({ name, isFolder, items }: CopyFrom): unknown {
  return [
    name,
    isFolder,
    items.map(({ path, type, mode, uid, gid, target, sha256: hash, bytes }) => [
      path,
      type,
      mode,
      uid,
      gid,
      target,
      hash ?? (bytes && sha256(bytes)),
    ]),
  ];
}
