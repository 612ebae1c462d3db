import type { Config } from '../../model/config/schema.ts';
import { COLLECTOR_IMAGE } from './modules/collector.ts';
import { PLACEHOLDER_IMAGE } from './modules/ecs-task-definition.ts';

/** A public image that tasks need besides the application's, and the tag of the copy in the region's own repository. */
export interface SupportImage {
  source: string;
  tag: string;
}

/**
 * The copies that the tasks of a region start from; what is `undefined` comes from its public registry. The collector is
 * needed at every start of a task, so that never depends on another's registry; the placeholder only until the first release,
 * so it is copied where a network has no way outside.
 */
export function supportImages({ aws, monitoring, network }: Config): {
  collector?: SupportImage;
  placeholder?: SupportImage;
} {
  const copied = (name: string, source: string): SupportImage => {
    const version = source.slice(source.lastIndexOf(':') + 1);
    // The lifecycle rules of the repository keep what has such a tag, and no release moves this one.
    return { source, tag: `in-use-${name}-${version}-${aws.architecture === 'ARM64' ? 'arm64' : 'amd64'}` };
  };
  return {
    ...(monitoring.collector && { collector: copied('collector', COLLECTOR_IMAGE) }),
    ...(network.nat === 'none' && { placeholder: copied('placeholder', PLACEHOLDER_IMAGE) }),
  };
}
