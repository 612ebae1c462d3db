import { TandemError } from '../core/error.ts';
import type { Cloud, RegionOperations } from '../model/cloud.ts';
import type { ServiceStatus } from '../model/deployment.ts';
import type { PipelineEnvironment, RegionName } from '../model/names.ts';
import type { CommandContext } from './context.ts';
import { ProgressView } from './progress-view.ts';
import { askRegions, chosenRegions, type RegionAnswer } from './regions.ts';
import { watch } from './watch.ts';

interface FollowedService {
  name: PipelineEnvironment;
  isSettled(service: ServiceStatus): boolean;
  /** What is shown of it meanwhile. */
  describe(service: ServiceStatus): string;
}

/** One region, for what is done to its services there. */
export interface ServicesOfRegion {
  operations: RegionOperations;
  /** Shows a service live until it is settled, and gives it as it is then. */
  follow(followed: FollowedService): Promise<ServiceStatus>;
}

/**
 * Does something to services, all regions at once, and shows how they settle. Ctrl-C ends the watching, never `what`
 * (`the restart`), which was asked for.
 */
export async function actOnServices<Value>(
  context: CommandContext,
  cloud: Cloud,
  what: string,
  act: (services: ServicesOfRegion) => Promise<Value>,
): Promise<RegionAnswer<Value>[]> {
  const view = new ProgressView(context.stderr, context.progressPaint, context.clock);
  const watching = new AbortController();
  const release = context.onInterrupt(() =>
    watching.abort(new TandemError('INTERRUPTED', `you ended the watching; ${what} goes on`)),
  );
  try {
    return await askRegions(cloud, chosenRegions(context, cloud), (operations, region) =>
      act({
        operations,
        follow: followed => follow(context, { region, operations, view, signal: watching.signal }, followed),
      }),
    );
  } finally {
    release();
    view.end({ keep: false });
  }
}

interface Place {
  region: RegionName;
  operations: RegionOperations;
  view: ProgressView;
  signal: AbortSignal;
}

function follow(
  { clock }: CommandContext,
  { region, operations, view, signal }: Place,
  { name, isSettled, describe }: FollowedService,
): Promise<ServiceStatus> {
  const since = clock.now();
  const show = (text: string) => view.set(`${region} ${name}`, { text, since });
  return watch({
    operations,
    clock,
    signal,
    read: () => readService(operations, name),
    isSettled(service) {
      show(describe(service));
      return isSettled(service);
    },
    onContact: contact =>
      show(contact === 'lost' ? 'no answer from the region; trying again' : 'contact is back'),
  });
}

/** Throws SERVICE_UNSEEN where the region answers, and does not tell of the service. */
export async function readService(
  operations: RegionOperations,
  name: PipelineEnvironment,
): Promise<ServiceStatus> {
  const { region, services, problems } = await operations.status();
  const found = services.find(service => service.name === name);
  if (found) return found;
  throw new TandemError(
    'SERVICE_UNSEEN',
    `how ${name} is in ${region} can not be seen: ${problems.join('; ')}`,
    {
      kind: 'system',
      data: { region, service: name, problems },
    },
  );
}
