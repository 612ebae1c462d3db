import { cleanPath } from '../context/ignore.ts';
import { checkFlags } from '../dockerfile/flags.ts';
import { invalid, type Instruction } from '../dockerfile/instruction.ts';
import { placeCopies } from './copy-destination.ts';
import type { Stage, StepOutcome } from './stage.ts';
import { resolveOwner } from './users.ts';

/** Sets the working folder, relative to the one before, and makes it where it is missing: USER's own, as BuildKit does. */
export async function applyWorkdir(stage: Stage, instruction: Instruction): Promise<StepOutcome> {
  checkFlags(instruction, { values: [] });
  const given = stage.expand(instruction, instruction.text);
  if (given === '') throw invalid(instruction, `"${instruction.text}" expands to nothing`);
  const path = `/${cleanPath(given.startsWith('/') ? given : `${stage.workingFolder}/${given}`)}`;
  stage.config.WorkingDir = path;
  const owner = await resolveOwner(stage, instruction, stage.config.User ?? '0');
  const key = stage.cacheKey(instruction, [path, owner]);
  if (await stage.takeCached(key, `WORKDIR ${path}`)) return 'cached';
  const folder = { path: '', type: 'folder' as const, mode: 0o755, uid: 0, gid: 0 };
  const entries = placeCopies(await stage.tree(), [{ name: '', isFolder: true, items: [folder] }], {
    destination: path,
    workingFolder: '/',
    owner,
    mode: undefined,
    refuse(problem) {
      throw invalid(instruction, problem);
    },
  });
  return stage.addFiles(key, entries, `WORKDIR ${path}`);
}
