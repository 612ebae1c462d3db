import { dirname, join } from 'node:path';
import { mkdir, writeFile } from '../../../platform/files.ts';

/** A workspace of the shape that Copilot's own commands leave behind, with some of everything. */
export const COPILOT_SHOP: Readonly<Record<string, string>> = {
  'copilot/.workspace': 'application: shop\n',
  'copilot/web/manifest.yml': `# The manifest for the "web" service.
name: web
type: Load Balanced Web Service

http:
  path: '/'
  healthcheck:
    path: /healthz
    interval: 15s
    timeout: 10s
    healthy_threshold: 3
    success_codes: '200,301'
    grace_period: 1m30s
  deregistration_delay: 20s
  stickiness: true

image:
  build:
    dockerfile: web/Dockerfile
    context: .
    target: runtime
    args:
      CHANNEL: stable
  port: 3000

cpu: 512
memory: 1024
platform: linux/arm64
count: 1
exec: true

network:
  connect: true
  vpc:
    placement: private

variables:
  LOG_LEVEL: info
  STAGE: \${COPILOT_ENVIRONMENT_NAME}
secrets:
  DB_PASSWORD: /copilot/\${COPILOT_APPLICATION_NAME}/\${COPILOT_ENVIRONMENT_NAME}/secrets/DB_PASSWORD

logging:
  retention: 14

sidecars:
  nginx:
    port: 80
    image: public.ecr.aws/nginx/nginx:latest

environments:
  test:
    variables:
      LOG_LEVEL: debug
      PREVIEW: 'yes'
  prod:
    cpu: 1024
    memory: 2048
    count:
      range:
        min: 2
        max: 12
        spot_from: 4
      cpu_percentage: 60
      response_time: 2s
      cooldown:
        in: 2m
        out: 30s
    http:
      alias:
        - name: shop.example.com
          hosted_zone: Z0873220N255IR3MTNR4
        - name: www.shop.example.com
          hosted_zone: Z0873220N255IR3MTNR4
    deployment:
      rolling: default
`,
  'copilot/web/addons/orders.yml': `Parameters:
  App: { Type: String }
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '\${App}-orders'
  OrdersPolicy:
    Type: AWS::IAM::ManagedPolicy
Outputs:
  OrdersName:
    Value: !Ref Orders
`,
  'copilot/mailer/manifest.yml': `name: mailer
type: Worker Service
image:
  build: mailer/Dockerfile
subscribe:
  topics:
    - name: orders
      service: web
cpu: 256
memory: 512
count: 1
`,
  'copilot/report/manifest.yml': `name: report
type: Scheduled Job
image:
  build: report/Dockerfile
on:
  schedule: '@daily'
cpu: 256
memory: 512
`,
  'copilot/environments/test/manifest.yml': `name: test
type: Environment
observability:
  container_insights: false
`,
  'copilot/environments/prod/manifest.yml': `name: prod
type: Environment
network:
  vpc:
    cidr: 10.20.0.0/16
    subnets:
      public:
        - cidr: 10.20.0.0/24
          az: eu-west-1a
        - cidr: 10.20.1.0/24
          az: eu-west-1b
cdn: true
observability:
  container_insights: true
`,
  'copilot/pipelines/shop-main/manifest.yml': `name: shop-main
version: 1
source:
  provider: GitHub
  properties:
    branch: release
    repository: https://github.com/example/shop
build:
  image: aws/codebuild/amazonlinux2-x86_64-standard:5.0
stages:
  - name: test
    test_commands:
      - make integration
  - name: prod
    requires_approval: true
`,
  'copilot/pipelines/shop-main/buildspec.yml': `version: 0.2
phases:
  build:
    commands:
      - ./copilot-linux svc package
`,
  'web/Dockerfile':
    'FROM public.ecr.aws/docker/library/node:24-slim AS runtime\nCMD ["node", "web/server.js"]\n',
};

/** Writes files below a folder. */
export async function writeWorkspace(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
