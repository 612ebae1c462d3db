import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { TestCloud, run, TANDEM, testEnvironment, type Output } from '../end-to-end/test-cloud.ts';
import { startDeliveryDouble, type DeliveryDouble } from './delivery-double.ts';
import { emulateReplication, emulateServices } from './emulated-application.ts';
import { startMoto, type Moto } from './moto.ts';

const REGIONS = ['us-east-1', 'us-west-2'] as const;
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'emulated', AWS_SECRET_ACCESS_KEY: 'emulated' };

/** The test application, and an AWS on which it is set up, with nothing pushed yet. Commands are real processes. */
export class AwsTestCloud {
  readonly aws: DeliveryDouble;
  readonly #application: TestCloud;
  readonly #moto: Moto;
  readonly #root: string;

  private constructor(parts: { aws: DeliveryDouble; application: TestCloud; moto: Moto; root: string }) {
    this.aws = parts.aws;
    this.#application = parts.application;
    this.#moto = parts.moto;
    this.#root = parts.root;
  }

  static async up(): Promise<AwsTestCloud> {
    const [moto, application, root] = await Promise.all([
      startMoto(),
      TestCloud.prepare(),
      mkdtemp(join(tmpdir(), 'tandem-aws-')),
    ]);
    const aws = await startDeliveryDouble(moto.endpoint, REGIONS, root);
    Object.assign(process.env, { ...CREDENTIALS, AWS_ENDPOINT_URL: moto.endpoint });
    for (const region of REGIONS) {
      await emulateServices(region);
      await emulateReplication(
        region,
        REGIONS.find(other => other !== region)!,
      );
      await new ECRClient({ region }).send(new CreateRepositoryCommand({ repositoryName: 'shop' }));
    }
    return new AwsTestCloud({ aws, application, moto, root });
  }

  get folder(): string {
    return this.#application.folder;
  }

  tandem(...argv: string[]): Promise<Output> {
    return this.tandemWith({}, ...argv);
  }

  tandemWith(variables: Record<string, string>, ...argv: string[]): Promise<Output> {
    const env = { ...testEnvironment(), ...CREDENTIALS, AWS_ENDPOINT_URL: this.aws.endpoint, ...variables };
    return run(process.execPath, [TANDEM, ...argv, '--target', 'aws'], this.folder, env);
  }

  commit(...commit: Parameters<TestCloud['commit']>): Promise<string> {
    return this.#application.commit(...commit);
  }

  async dispose(): Promise<void> {
    await this.aws[Symbol.asyncDispose]();
    await this.#moto[Symbol.asyncDispose]();
    await this.#application.dispose();
    await rm(this.#root, { recursive: true, force: true });
  }
}
