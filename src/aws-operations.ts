import type { AwsOperations } from './cli/aws-operations.ts';
import type { AwsSession } from './aws/operate/aws-session.ts';
import { namePrefix } from './model/config/name-prefix.ts';
import { awsRegions } from './model/config/regions.ts';
import type { RegionName } from './model/names.ts';
import { systemClock } from './platform/clock.ts';
import { environment } from './platform/process.ts';

/** AWS as it is, asked through the SDK and changed through Terraform. Each part is loaded when it is first needed. */
export function createAwsOperations(): AwsOperations {
  let session: AwsSession | undefined;
  const sessionIn = async (region: RegionName): Promise<AwsSession> => {
    const { AwsSession } = await import('./aws/operate/aws-session.ts');
    session ??= new AwsSession(region);
    return session;
  };
  const call = async <Result>(
    what: string,
    region: RegionName,
    work: (session: AwsSession) => Promise<Result>,
  ): Promise<Result> => {
    const { callingAws } = await import('./aws/operate/aws-session.ts');
    const opened = await sessionIn(region);
    return callingAws(what, () => work(opened));
  };
  return {
    async identify(region) {
      const { AwsSession } = await import('./aws/operate/aws-session.ts');
      const opened = new AwsSession(region);
      const identity = await opened.identify();
      session = opened;
      return identity;
    },
    async stacks(config, options) {
      const { synthesize } = await import('./aws/terraform/synthesize.ts');
      const { archivesOf } = await import('./aws/terraform/files.ts');
      const { functionArchives } = await import('./function-archives.ts');
      const archives = await functionArchives();
      // State buckets are made without Terraform: they have no state that could be lost.
      return synthesize(config, options)
        .filter(({ name }) => !name.startsWith('bootstrap-'))
        .map(stack => ({ ...stack, files: archivesOf(stack.document, archives) }));
    },
    async ensureStateBucket(stack, accountId) {
      const { ensureStateBucket, stateBucketOf } = await import('./aws/operate/state-bucket.ts');
      const bucket = stateBucketOf(stack, accountId);
      return call(`making the bucket ${bucket.name} in ${bucket.region}`, stack.region, session =>
        ensureStateBucket(session, bucket),
      );
    },
    async readStateLock(stack, accountId) {
      const { readStateLock } = await import('./aws/operate/state-lock.ts');
      return call(`reading the lock of ${stack.name}`, stack.region, session =>
        readStateLock(session, stack, accountId),
      );
    },
    async removeStateLock(stack, accountId, seen) {
      const { removeStateLock } = await import('./aws/operate/state-lock.ts');
      await call(`removing the lock of ${stack.name}`, stack.region, session =>
        removeStateLock(session, stack, accountId, seen),
      );
    },
    async prepareForDeletion({ stack, region, existing }, onDone) {
      const { prepareForDeletion } = await import('./aws/operate/contents.ts');
      await call(`emptying what ${stack} holds`, region, session =>
        prepareForDeletion(session, region, existing, onDone),
      );
    },
    async deleteByproducts(config, region) {
      const { deleteByproducts } = await import('./aws/operate/byproducts.ts');
      return call(`deleting what no state knows of in ${region}`, region, session =>
        deleteByproducts(session, region, namePrefix(config)),
      );
    },
    async removeStateBucket(stacks, accountId) {
      const { removeStateBucket } = await import('./aws/operate/state-bucket-removal.ts');
      const { region } = stacks[0]!;
      return call(`deleting the bucket of the states in ${region}`, region, session =>
        removeStateBucket(session, stacks, accountId),
      );
    },
    async takeInventory(config) {
      const { takeInventory } = await import('./aws/operate/inventory.ts');
      const { customer, application, regions } = config;
      return call('looking for what is left', regions[0]!, session =>
        takeInventory(session, {
          customer,
          application,
          prefix: namePrefix(config),
          ownRegions: regions,
          allRegions: awsRegions,
        }),
      );
    },
    async cloud(config) {
      const { createAwsCloud } = await import('./aws/operate/cloud/aws-cloud.ts');
      const { operatedPlaces } = await import('./aws/terraform/observed-places.ts');
      const places = config.regions.map(region => operatedPlaces(config, region));
      return createAwsCloud(await sessionIn(config.regions[0]!), places, systemClock);
    },
    async observeRegion(config, region, now) {
      const { observeRegion } = await import('./aws/operate/observe/observe-region.ts');
      const { observedPlaces } = await import('./aws/terraform/observed-places.ts');
      return observeRegion(await sessionIn(region), { region, now, ...observedPlaces(config, region) });
    },
    async foreignReplication(config, regions, accountId) {
      const { foreignReplication } = await import('./aws/operate/registry-rules.ts');
      const filters = [namePrefix(config), ...config.registry.replicateAlso];
      return foreignReplication(await sessionIn(config.regions[0]!), { regions, accountId, filters });
    },
    async quotaUse(plans) {
      const { quotaDemands } = await import('./aws/operate/quota-demands.ts');
      const { quotaUse } = await import('./aws/operate/quotas.ts');
      return quotaUse(await sessionIn(plans[0]!.region), quotaDemands(plans), systemClock.now());
    },
    async nameClashes(plans) {
      const { nameClashes } = await import('./aws/operate/name-clashes.ts');
      return nameClashes(await sessionIn(plans[0]!.region), plans);
    },
    async keepDeployed(stack, accountId) {
      const { keepDeployed } = await import('./aws/operate/deployed-documents.ts');
      const { driftJudge } = await import('./function-archives.ts');
      const judge = await driftJudge();
      await call(`leaving ${stack.name} for the drift check`, stack.region, session =>
        keepDeployed(session, stack, { accountId, judge }),
      );
    },
    async openWorkFolder(request) {
      const { openWorkFolder } = await import('./aws/operate/work-folder.ts');
      return openWorkFolder({ ...request, environment, clock: systemClock });
    },
  };
}
