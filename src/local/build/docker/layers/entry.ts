/** One entry of a layer: what the layer adds, replaces or (as OCI whiteouts) takes away. Paths are relative to `/`. */
export interface LayerEntry {
  path: string;
  type: 'file' | 'folder' | 'link' | 'hardlink' | 'whiteout' | 'opaque';
  /** Permission bits with set-id and sticky bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Of a link, as written; of a hardlink, the path of the entry that it equals. */
  target?: string;
}

/** A file's bytes, and what they were when the layer was planned. */
export interface FileContent {
  source: { path: string } | { bytes: Uint8Array };
  size: number;
  /** Lower-case hex; where set, writing the layer checks it. */
  sha256?: string;
}

export interface NewLayerEntry extends LayerEntry {
  /** Set for files only. */
  content?: FileContent;
}

/** A stored layer. */
export interface Layer {
  /** Of the compressed bytes: its blob. */
  digest: string;
  size: number;
  /** Of the tar itself. */
  diffId: string;
  /** OCI's tar+gzip for those made here; a pulled image may have others. */
  mediaType: string;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Whiteouts as image-spec 1.1 layer.md writes them: `a/.wh.b` takes `a/b` away, `a/.wh..wh..opq` all in `a`. */
export function tarPath(entry: Pick<LayerEntry, 'type' | 'path'>): string {
  const slash = entry.path.lastIndexOf('/') + 1;
  if (entry.type === 'whiteout') return `${entry.path.slice(0, slash)}${WHITEOUT}${entry.path.slice(slash)}`;
  if (entry.type === 'opaque') return `${entry.path === '' ? '' : `${entry.path}/`}${OPAQUE}`;
  return entry.type === 'folder' ? `${entry.path}/` : entry.path;
}

/** The inverse, for a cleaned path: which entry a tar name stands for. */
export function whiteoutOf(path: string): { type: 'whiteout' | 'opaque'; path: string } | undefined {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  if (!name.startsWith(WHITEOUT)) return undefined;
  if (name === OPAQUE) return { type: 'opaque', path: path.slice(0, Math.max(0, slash - 1)) };
  return { type: 'whiteout', path: `${path.slice(0, slash)}${name.slice(WHITEOUT.length)}` };
}
