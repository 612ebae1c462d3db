import { ECRClient, paginateDescribeImages } from '@aws-sdk/client-ecr';
import type { Instant } from '../../../core/instant.ts';
import type { CommitId, Digest } from '../../../model/names.ts';
import type { Release } from '../../../model/release.ts';
import type { RegionCalls } from './region-calls.ts';

/** The images that the registry still has. Those that no commit names were not made by the pipeline. */
export class Images {
  readonly #releases: readonly Release[];

  constructor(releases: readonly Release[]) {
    this.#releases = releases;
  }

  ofCommit(commit: CommitId): Release | undefined {
    return this.#releases.find(release => release.commit === commit);
  }

  ofDigest(digest: Digest): Release | undefined {
    return this.#releases.find(release => release.digest === digest);
  }

  all(): readonly Release[] {
    return this.#releases;
  }
}

const COMMIT_TAG = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

export function readImages(calls: RegionCalls, repositoryName: string): Promise<Images> {
  return calls.ask(ECRClient, 'ecr:DescribeImages', async client => {
    const releases: Release[] = [];
    for await (const page of paginateDescribeImages({ client }, { repositoryName })) {
      for (const { imageDigest = '', imageTags = [], imagePushedAt } of page.imageDetails ?? []) {
        const builtAt: Instant = imagePushedAt?.getTime() ?? 0;
        const commits = imageTags.filter(tag => COMMIT_TAG.test(tag));
        releases.push(...commits.map(commit => ({ commit, digest: imageDigest, builtIn: '', builtAt })));
      }
    }
    return new Images(releases.sort((one, other) => other.builtAt - one.builtAt));
  });
}
