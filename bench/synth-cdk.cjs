// What `cdk synth` is timed with: staging and production of one load-balanced Fargate service in two regions, the way
// that the CDK's own pattern does it. No account is named, so that nothing has to be looked up in one.
const { App, Stack } = require('aws-cdk-lib');
const { Vpc } = require('aws-cdk-lib/aws-ec2');
const { Cluster, ContainerImage } = require('aws-cdk-lib/aws-ecs');
const { ApplicationLoadBalancedFargateService } = require('aws-cdk-lib/aws-ecs-patterns');

const app = new App();
for (const region of ['us-east-1', 'us-west-2']) {
  const stack = new Stack(app, `storefront-${region}`, { env: { region } });
  const vpc = new Vpc(stack, 'network', { maxAzs: 2 });
  for (const environment of ['staging', 'production']) {
    const { service } = new ApplicationLoadBalancedFargateService(stack, environment, {
      cluster: new Cluster(stack, `${environment}-cluster`, { vpc }),
      cpu: 256,
      memoryLimitMiB: 512,
      desiredCount: 2,
      minHealthyPercent: 100,
      taskImageOptions: { image: ContainerImage.fromRegistry('storefront'), containerPort: 8080 },
      circuitBreaker: { rollback: true },
    });
    const scaling = service.autoScaleTaskCount({ minCapacity: 2, maxCapacity: 10 });
    scaling.scaleOnCpuUtilization('cpu', { targetUtilizationPercent: 70 });
    scaling.scaleOnMemoryUtilization('memory', { targetUtilizationPercent: 75 });
  }
}
app.synth();
