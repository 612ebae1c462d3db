import { TandemError } from '../../../../core/error.ts';
import { cleanPath } from '../context/ignore.ts';
import { hasWildcard, matchPaths, type FileSource, type SourceItem } from '../context/file-source.ts';
import { placeOf, type Instruction } from '../dockerfile/instruction.ts';

export interface FoundSource {
  item: SourceItem;
  /** The last part of the path as written: what a file is called in a destination folder. */
  name: string;
}

/**
 * What one source of COPY names. A link given as source is followed within the source's root; links below a folder
 * are copied as links. A pattern may match nothing (BuildKit's rule, for `COPY package.json yarn.lock* ./`).
 */
export function findSources(instruction: Instruction, source: FileSource, pattern: string): FoundSource[] {
  const paths = hasWildcard(pattern) ? matchPaths(source, pattern) : [cleanPath(pattern)];
  return paths.map(path => {
    const resolved = source.resolve(path);
    const item = resolved === undefined ? undefined : source.item(resolved);
    if (item === undefined) throw notFound(instruction, source, pattern);
    return { item, name: path.slice(path.lastIndexOf('/') + 1) };
  });
}

function notFound(instruction: Instruction, source: FileSource, pattern: string): TandemError {
  const hint =
    source.title === 'the build context' ? ' (is it listed in .dockerignore, or not committed?)' : '';
  return new TandemError(
    'BUILD_CONTEXT_INVALID',
    `${placeOf(instruction)}: "${pattern}" was not found in ${source.title}${hint}`,
    { data: { file: instruction.file, line: instruction.line, path: pattern } },
  );
}
