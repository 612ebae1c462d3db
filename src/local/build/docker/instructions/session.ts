import type { Instant } from '../../../../core/instant.ts';
import type { BuildContext } from '../context/build-context.ts';
import type { GlobalArguments, StagePlan } from '../dockerfile/stages.ts';
import type { LayerCache } from '../layers/layer-cache.ts';
import type { Progress } from '../progress.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { RootView } from './root-view.ts';
import type { Stage } from './stage.ts';

/** What all instructions of one `docker build` share. */
export interface BuildSession {
  context: BuildContext;
  store: ImageStore;
  cache: LayerCache;
  /** Folders that RUN --mount=type=cache keeps between builds. */
  mountFolder: string;
  /** This build's alone; removed after it. */
  workFolder: string;
  progress: Progress;
  globals: GlobalArguments;
  plans: readonly StagePlan[];
  /** Finished stages by index. */
  stages: Map<number, Stage>;
  /** In OCI's words: `amd64`. */
  architecture: string;
  /** Every file and the image itself carry this time: the same content gives the same digest. */
  createdAt: Instant;
  useCache: boolean;
  rootView: RootView;
  warn(text: string): void;
  /** Ends RUN processes when the command is told to stop. */
  signal: AbortSignal;
}
