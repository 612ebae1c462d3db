import { expect, test } from 'vitest';
import { validateConfig } from '../../model/config/validate.ts';
import { synthesize } from '../terraform/synthesize.ts';
import { deferredPlan } from './deferred-plan.ts';
import { quotaDemands } from './quota-demands.ts';
import { change, planDocument, planOf } from './testing/plans.ts';

const REGION = 'eu-west-1';
const SERVICE = 'aws_ecs_service.service';
const DEFINITION = 'aws_ecs_task_definition.definition';
const ROLLING = { desired_count: 4, deployment_maximum_percent: 150 };
const CPU = { cpu: '512' };

test('resources that are made count by region and type, all others not at all', () => {
  const plans = [
    planOf({ changes: [change('aws_eip.a'), change('aws_eip.b'), change('aws_eip.c', 'update')] }),
    planOf({ stack: 'other', region: 'us-east-1', changes: [change('aws_eip.a')] }),
  ];
  expect(quotaDemands(plans)).toEqual([
    { region: REGION, type: 'aws_eip', adds: 2 },
    { region: 'us-east-1', type: 'aws_eip', adds: 1 },
  ]);
});

test('NAT gateways count in the zones of the subnets that they are to be in', () => {
  const document = planDocument(
    {
      'aws_nat_gateway.a': {},
      'aws_nat_gateway.b': {},
      'aws_subnet.a': { availability_zone: 'eu-west-1a' },
      'aws_subnet.b': { availability_zone: 'eu-west-1b' },
    },
    {
      'aws_nat_gateway.a': ['aws_eip.a.id', 'aws_eip.a', 'aws_subnet.a.id', 'aws_subnet.a'],
      'aws_nat_gateway.b': ['aws_subnet.b.id', 'aws_subnet.b'],
    },
  );
  const changes = [change('aws_nat_gateway.a'), change('aws_nat_gateway.b'), change('aws_nat_gateway.all')];
  expect(quotaDemands([planOf({ changes, document })])).toEqual([
    { region: REGION, type: 'aws_nat_gateway', zone: 'eu-west-1a', adds: 1 },
    { region: REGION, type: 'aws_nat_gateway', zone: 'eu-west-1b', adds: 1 },
    { region: REGION, type: 'aws_nat_gateway', adds: 1 },
  ]);
});

test('virtual CPUs count at the height of the deployments of all services of a region', () => {
  const environment = (service: object) =>
    planOf({
      changes: [change(SERVICE), change(DEFINITION)],
      document: planDocument({ [SERVICE]: { ...service }, [DEFINITION]: CPU }),
    });
  const rolling = environment(ROLLING);
  expect(cpus([rolling])).toEqual([{ region: REGION, type: 'fargate_vcpu', adds: 3, own: 0 }]);
  const canary = environment({ ...ROLLING, deployment_configuration: [{ strategy: 'CANARY' }] });
  expect(cpus([rolling, canary])).toEqual([{ region: REGION, type: 'fargate_vcpu', adds: 7, own: 0 }]);
});

test('virtual CPUs on Spot count by themselves, by the share of tasks that is to be there', () => {
  const service = {
    desired_count: 5,
    deployment_maximum_percent: 200,
    capacity_provider_strategy: [
      { capacity_provider: 'FARGATE', base: 1, weight: 25 },
      { capacity_provider: 'FARGATE_SPOT', base: 0, weight: 75 },
    ],
  };
  const document = planDocument({ [SERVICE]: service, [DEFINITION]: CPU });
  expect(cpus([planOf({ changes: [change(SERVICE)], document })])).toEqual([
    { region: REGION, type: 'fargate_vcpu', adds: 2, own: 0 },
    { region: REGION, type: 'fargate_spot_vcpu', adds: 3, own: 0 },
  ]);
});

test('what the own tasks have in use is taken off, and a plan that starts no task takes nothing', () => {
  const existing = [
    { address: SERVICE, type: 'aws_ecs_service', values: ROLLING },
    { address: DEFINITION, type: 'aws_ecs_task_definition', values: CPU },
  ];
  const document = planDocument({ [SERVICE]: ROLLING, [DEFINITION]: { cpu: '1024' } });
  expect(cpus([planOf({ existing, document, changes: [change(DEFINITION, 'replace')] })])).toEqual([
    { region: REGION, type: 'fargate_vcpu', adds: 4, own: 2 },
  ]);
  expect(cpus([planOf({ existing, document, changes: [change('aws_lb.balancer', 'update')] })])).toEqual([]);
});

test('virtual CPUs that autoscaling may take count where they are more, of every limit and all services', () => {
  const resources = {
    [SERVICE]: ROLLING,
    [DEFINITION]: CPU,
    'aws_appautoscaling_target.target': { max_capacity: 10 },
    'aws_appautoscaling_scheduled_action.sale': { scalable_target_action: [{ max_capacity: '16' }] },
  };
  const existing = [
    { address: SERVICE, type: 'aws_ecs_service', values: ROLLING },
    { address: DEFINITION, type: 'aws_ecs_task_definition', values: CPU },
  ];
  const first = planOf({ changes: [change(SERVICE)], document: planDocument(resources) });
  expect(cpus([first])).toEqual([{ region: REGION, type: 'fargate_vcpu', adds: 3, own: 0, mayAdd: 8 }]);

  const document = planDocument(resources);
  const other = planOf({ stack: 'other', existing, document });
  expect(cpus([first, other])).toEqual([
    { region: REGION, type: 'fargate_vcpu', adds: 3, own: 2, mayAdd: 14 },
  ]);
  const scaling = change('aws_appautoscaling_target.target', 'update');
  expect(cpus([planOf({ existing, document, changes: [scaling] })])).toEqual([
    { region: REGION, type: 'fargate_vcpu', adds: 0, own: 2, mayAdd: 6 },
  ]);
  expect(cpus([other])).toEqual([]);
});

test('the configuration’s own documents are understood before anything is planned', () => {
  const { config } = validateConfig({
    application: 'shop',
    regions: ['eu-west-1', 'us-east-1'],
    service: { cpu: 1024, memoryMb: 2048, desiredCount: 3 },
    aws: { spotPercent: 50, standby: 'warm' },
  });
  const plans = synthesize(config!, { state: 'local', protect: true })
    .filter(({ after }) => after.length > 0)
    .map(stack => deferredPlan(stack));
  // Staging runs all its tasks in both regions, production one in the second, which may grow as far as the first.
  expect(cpus(plans)).toEqual([
    { region: 'eu-west-1', type: 'fargate_vcpu', adds: 8, own: 0, mayAdd: 11 },
    { region: 'eu-west-1', type: 'fargate_spot_vcpu', adds: 4, own: 0, mayAdd: 9 },
    { region: 'us-east-1', type: 'fargate_vcpu', adds: 6, own: 0, mayAdd: 11 },
    { region: 'us-east-1', type: 'fargate_spot_vcpu', adds: 2, own: 0, mayAdd: 9 },
  ]);
});

function cpus(plans: Parameters<typeof quotaDemands>[0]) {
  return quotaDemands(plans).filter(({ type }) => type.startsWith('fargate_'));
}
