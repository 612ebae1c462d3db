import type { ConfigInput } from '../../model/config/schema.ts';
import type { Assignment } from './environments.ts';
import { isRecord, type Manifest } from './manifest.ts';
import { ValueReader, type Tell } from './read-values.ts';

/** The stages of a pipeline's manifest, in order, each with its name. */
export function stagesOf(pipeline: Manifest | undefined): { name: string; stage: Record<string, unknown> }[] {
  const stages = pipeline?.value['stages'];
  return (Array.isArray(stages) ? stages : []).flatMap((stage: unknown) =>
    isRecord(stage) && typeof stage['name'] === 'string' ? [{ name: stage['name'], stage }] : [],
  );
}

export function mapPipeline(
  pipeline: Manifest,
  { production }: Assignment,
  tell: Tell,
): NonNullable<ConfigInput['pipeline']> {
  const values = new ValueReader(pipeline.value, tell);
  const branch = values.text('source.properties.branch');
  const provider = values.text('source.provider');
  if (provider !== undefined && provider !== 'CodeCommit') {
    tell(
      'changed',
      'source.provider',
      `Tandem has a Git repository of its own in every region; push there from ${provider}, too`,
    );
  }
  const stages = stagesOf(pipeline);
  const index = stages.findIndex(({ name }) => name === production);
  const isAsked = stages[index]?.stage['requires_approval'] === true;
  stages.forEach(({ name, stage }, at) => {
    if (at === index || stage['requires_approval'] !== true) return;
    tell('left', `stages.${at}.requires_approval`, `Tandem asks before production only, not before ${name}`);
  });
  if (index !== -1 && !isAsked) {
    tell(
      'changed',
      `stages.${index}.name`,
      'nobody was asked before production, and nobody is: approval.required is false',
    );
  }
  return {
    ...(branch !== undefined && branch !== '' && { branch }),
    ...(index !== -1 && { approval: { required: isAsked } }),
  };
}
