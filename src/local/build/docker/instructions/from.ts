import { findProgram, nodeVersion } from '../../../../platform/process.ts';
import { invalid, unsupported } from '../dockerfile/instruction.ts';
import type { StagePlan } from '../dockerfile/stages.ts';
import type { BuildSession } from './session.ts';
import { Stage } from './stage.ts';

interface Runtime {
  title: string;
  /** Absent: Node.js, which is always here. */
  program?: string;
}

const NODE: Runtime = { title: 'Node.js' };
const runtime = (title: string, program: string): Runtime => ({ title, program });

/** Base images that bring a language or a server, by the last part of their name. */
const RUNTIMES: Readonly<Record<string, Runtime>> = {
  node: NODE,
  nodejs: NODE,
  python: runtime('Python', 'python3'),
  python3: runtime('Python', 'python3'),
  ruby: runtime('Ruby', 'ruby'),
  golang: runtime('Go', 'go'),
  go: runtime('Go', 'go'),
  rust: runtime('Rust', 'cargo'),
  php: runtime('PHP', 'php'),
  perl: runtime('Perl', 'perl'),
  openjdk: runtime('Java', 'java'),
  'eclipse-temurin': runtime('Java', 'java'),
  amazoncorretto: runtime('Java', 'java'),
  java: runtime('Java', 'java'),
  maven: runtime('Maven', 'mvn'),
  gradle: runtime('Gradle', 'gradle'),
  dotnet: runtime('.NET', 'dotnet'),
  sdk: runtime('.NET', 'dotnet'),
  aspnet: runtime('.NET', 'dotnet'),
  bun: runtime('Bun', 'bun'),
  deno: runtime('Deno', 'deno'),
  elixir: runtime('Elixir', 'elixir'),
  nginx: runtime('nginx', 'nginx'),
  httpd: runtime('Apache httpd', 'httpd'),
  postgres: runtime('PostgreSQL', 'postgres'),
  redis: runtime('Redis', 'redis-server'),
};

/** Bases that are an operating system only; any other unknown one is accepted with a warning. */
const OPERATING_SYSTEMS: ReadonlySet<string> = new Set([
  'alpine',
  'debian',
  'ubuntu',
  'fedora',
  'centos',
  'rockylinux',
  'almalinux',
  'busybox',
  'amazonlinux',
  'ubi',
  'wolfi-base',
  'static',
  'base',
  'cc',
]);

/** Starts a stage: from an earlier stage, from an image of this build, or from a base that this machine stands for. */
export function startStage(plan: StagePlan, session: BuildSession): Stage {
  const stage = new Stage(plan, session);
  checkPlatform(plan, session);
  if (plan.base.kind === 'stage') {
    stage.startFrom(session.stages.get(plan.base.index)!);
    return stage;
  }
  const { name } = plan.base;
  if (name === 'scratch') return stage;
  const local = session.store.find(name);
  if (local !== undefined) stage.startFromImage(local, name);
  else startFromRuntime(stage, name);
  return stage;
}

function startFromRuntime(stage: Stage, name: string): void {
  const { from } = stage.plan;
  const { base, tag } = baseOf(name);
  if (!/^[\w.\-/:@]+$/.test(name)) throw invalid(from, `"${name}" is not an image reference`);
  stage.baseName = qualifiedName(name);
  const known = runtimeOf(base);
  const warn = (text: string) => stage.session.warn(`FROM at ${from.file}:${from.line}: ${text}`);
  if (known === undefined) {
    if (!OPERATING_SYSTEMS.has(base))
      warn(
        `nothing is pulled without a container engine, so what ${name} holds is not there; this machine's programs are`,
      );
    return;
  }
  if (known.program !== undefined) {
    if (findProgram(known.program) !== undefined) return;
    throw unsupported(
      from,
      `the base image ${name} brings ${known.title}, and there is no "${known.program}" on this machine`,
      `Install ${known.title}, or start Docker or Podman, and push again.`,
    );
  }
  const asked = /^(\d+)(?:[.-]|$)/.exec(tag ?? '')?.[1];
  const [own] = nodeVersion.split('.');
  if (asked !== undefined && asked !== own)
    warn(
      `${name} asks for Node.js ${asked}; without a container engine, this machine's Node.js ${own} runs it`,
    );
}

/** Distroless names its images `nodejs22-debian12`; others put the language last: `library/node`, `docker/library/node`. */
function runtimeOf(base: string): Runtime | undefined {
  const family = /^(nodejs|python3|java)\d*(?:-debian\d+)?$/.exec(base)?.[1] ?? base;
  return Object.hasOwn(RUNTIMES, family) ? RUNTIMES[family] : undefined;
}

function baseOf(name: string): { base: string; tag: string | undefined } {
  const [path = ''] = name.split('@');
  const last = path.slice(path.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0
    ? { base: last, tag: undefined }
    : { base: last.slice(0, colon), tag: last.slice(colon + 1) };
}

/** As the annotation `org.opencontainers.image.base.name` wants it: `docker.io/library/node:24`. */
function qualifiedName(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const withTag = /[:@]/.test(name.slice(name.lastIndexOf('/') + 1)) ? name : `${name}:latest`;
  if (rest.length === 0) return `docker.io/library/${withTag}`;
  return /[.:]/.test(first) || first === 'localhost' ? withTag : `docker.io/${withTag}`;
}

function checkPlatform({ from, platform }: StagePlan, session: BuildSession): void {
  if (platform === undefined) return;
  const [system, architecture] = platform.split('/');
  if (system !== 'linux' || architecture === undefined)
    throw unsupported(
      from,
      `--platform=${platform} is not a Linux platform`,
      'Write linux/amd64 or linux/arm64.',
    );
  if (architecture !== session.architecture)
    session.warn(
      `FROM at ${from.file}:${from.line}: --platform=${platform} differs from the image's linux/${session.architecture}; RUN uses this machine's programs`,
    );
}
