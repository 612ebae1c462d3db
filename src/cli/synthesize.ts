import type { Config } from '../model/config/schema.ts';

interface SynthesizedFile {
  /** Relative, with `/`. */
  path: string;
  content: string | Uint8Array;
  /** How many resources it describes; 0 for a document. */
  resources: number;
}

/** The port by which the command line gets a configuration as Terraform. */
export type Synthesize = (
  config: Config,
  options: {
    /** `s3`: state in a bucket of each region; `local`: in files, for a trial. */
    state: 's3' | 'local';
    /** Refuse to delete what holds state. */
    protect: boolean;
  },
) => Promise<SynthesizedFile[]>;
