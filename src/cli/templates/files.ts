/** What Tandem knows of applications in one language. */
export interface StackTemplate {
  /** As people say it: `Node.js`. */
  name: string;
  dockerfile: string;
  /** Run by the build before the image is made. */
  testCommands: readonly string[];
  /** Where it can be asked whether it is well, when not at the default `/health`. */
  healthCheckPath?: string;
  /** The image holds the server, too: nothing is asked of the application. */
  bringsServer?: boolean;
}

export function configTemplate(application: string, healthCheckPath: string | undefined): string {
  const service =
    healthCheckPath === undefined ? '' : `\n  service: { healthCheck: { path: '${healthCheckPath}' } },`;
  return `import { defineConfig } from 'tandem';

// Everything else has a default: see docs/configuration.md of Tandem.
export default defineConfig({
  application: '${application}',
  regions: ['us-east-1', 'us-west-2'],${service}
});
`;
}

/** What the image has no use for; dependencies above all, which it installs for itself. */
export const DOCKERIGNORE = `.git
.tandem
node_modules
Dockerfile
buildspec.yml
tandem.config.ts
`;

/** YAML takes a line as it is, unless it could mean more; what JSON quotes, YAML reads. */
function yamlLine(text: string): string {
  return /: | #|\n|:$/.test(text) ? JSON.stringify(text) : text;
}

/** Tests, then the image under the commit's id, then what the deployment reads: as on AWS CodeBuild. */
export function buildspecTemplate(testCommands: readonly string[], buildArguments = '.'): string {
  const tests = testCommands.map(command => `      - ${command}\n`).join('');
  const build = `docker build --tag "$REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION" ${buildArguments}`;
  return `version: 0.2

phases:
  pre_build:
    commands:
${tests}      - aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "\${REPOSITORY_URI%%/*}"
  build:
    commands:
      - ${yamlLine(build)}
      - docker push "$REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION"
      - printf '[{"name":"%s","imageUri":"%s"}]' "$CONTAINER_NAME" "$REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION" > imagedefinitions.json

artifacts:
  files:
    - imagedefinitions.json
`;
}
