import { DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
  paginateDescribeTargetGroups,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { ListWebACLsCommand, WAFV2Client, type WebACLSummary } from '@aws-sdk/client-wafv2';
import { using } from '../using-client.ts';
import { DNS_RECORD } from './dns-records.ts';
import {
  absent,
  among,
  amongListed,
  askEach,
  isThere,
  type FindTaken,
  type NamedKinds,
} from './named-kind.ts';

/** Making one that exists succeeds: Terraform would take it over, and delete it one day. */
const clusters: FindTaken = (settings, names) =>
  using(new ECSClient(settings), async client => {
    const { clusters: found = [] } = await client.send(new DescribeClustersCommand({ clusters: [...names] }));
    const active = found.filter(({ status }) => status !== 'INACTIVE');
    return among(
      names,
      active.map(({ clusterName }) => clusterName),
    );
  });

const functions: FindTaken = (settings, names) =>
  using(new LambdaClient(settings), client =>
    askEach(names, FunctionName =>
      client
        .send(new GetFunctionConfigurationCommand({ FunctionName }))
        .then(isThere, absent(ResourceNotFoundException)),
    ),
  );

const loadBalancers: FindTaken = (settings, names) =>
  using(new ElasticLoadBalancingV2Client(settings), client =>
    amongListed(names, paginateDescribeLoadBalancers({ client }, {}), ({ LoadBalancers }) =>
      LoadBalancers?.map(({ LoadBalancerName: name, LoadBalancerArn: importId }) => ({ name, importId })),
    ),
  );

const targetGroups: FindTaken = (settings, names) =>
  using(new ElasticLoadBalancingV2Client(settings), client =>
    amongListed(names, paginateDescribeTargetGroups({ client }, {}), ({ TargetGroups }) =>
      TargetGroups?.map(({ TargetGroupName: name, TargetGroupArn: importId }) => ({ name, importId })),
    ),
  );

const webAcls: FindTaken = (settings, names) =>
  using(new WAFV2Client(settings), client =>
    amongListed(names, regionalWebAcls(client), acls =>
      acls.map(({ Name: name, Id }) => ({ name, importId: `${Id}/${name}/REGIONAL` })),
    ),
  );

async function* regionalWebAcls(client: WAFV2Client): AsyncIterable<WebACLSummary[]> {
  let NextMarker: string | undefined;
  do {
    const page = await client.send(new ListWebACLsCommand({ Scope: 'REGIONAL', Limit: 100, NextMarker }));
    yield page.WebACLs ?? [];
    ({ NextMarker } = page);
  } while (NextMarker !== undefined);
}

export const SERVING: NamedKinds = {
  // ECS deletes none that has services or tasks.
  aws_ecs_cluster: {
    title: 'ECS cluster',
    name: 'name',
    findTaken: clusters,
    command: 'ecs delete-cluster --cluster $name',
  },
  aws_lambda_function: {
    title: 'Lambda function',
    name: 'function_name',
    findTaken: functions,
    command: 'lambda delete-function --function-name $name',
  },
  // Whether it serves somebody, ELB does not ask.
  aws_lb: {
    title: 'load balancer',
    name: 'name',
    findTaken: loadBalancers,
    command: 'elbv2 describe-load-balancers --names $name',
  },
  aws_lb_target_group: {
    title: 'target group',
    name: 'name',
    findTaken: targetGroups,
    command: 'elbv2 delete-target-group --target-group-arn $id',
  },
  // Its deletion takes a lock token, which another command gives.
  aws_wafv2_web_acl: {
    title: 'web ACL',
    name: 'name',
    findTaken: webAcls,
    command: 'wafv2 list-web-acls --scope REGIONAL',
  },
  aws_route53_record: DNS_RECORD,
};
