import { z } from 'zod';
import { xmlTags } from './xml.ts';

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

export type TestFormat =
  'JUNITXML' | 'CUCUMBERJSON' | 'NUNITXML' | 'NUNIT3XML' | 'TESTNGXML' | 'VISUALSTUDIOTRX';

type Outcome = keyof TestCounts;

/** Counts the tests of one report file. Throws a SyntaxError (or zod's error) where it is not of the format. */
export function countTests(format: TestFormat, source: string): TestCounts {
  if (format === 'CUCUMBERJSON') return countScenarios(source);
  const { element, outcome } = XML_FORMATS[format];
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  let test:
    { attributes: Readonly<Record<string, string>>; children: Set<string>; depth: number } | undefined;
  for (const tag of xmlTags(source)) {
    if (test === undefined) {
      if (tag.kind === 'open' && tag.name === element) {
        test = { attributes: tag.attributes, children: new Set(), depth: 0 };
      }
      continue;
    }
    if (tag.kind === 'open') {
      if (test.depth === 0) test.children.add(tag.name);
      test.depth += 1;
      continue;
    }
    test.depth -= 1;
    if (test.depth >= 0) continue;
    const result = outcome(test.attributes, test.children);
    if (result !== undefined) counts[result] += 1;
    test = undefined;
  }
  return counts;
}

interface XmlFormat {
  /** The element that stands for one test. */
  element: string;
  /** `undefined`: not a test. */
  outcome(attributes: Readonly<Record<string, string>>, children: ReadonlySet<string>): Outcome | undefined;
}

const XML_FORMATS: Record<Exclude<TestFormat, 'CUCUMBERJSON'>, XmlFormat> = {
  JUNITXML: {
    element: 'testcase',
    outcome(_attributes, children) {
      if (children.has('failure') || children.has('error')) return 'failed';
      return children.has('skipped') ? 'skipped' : 'passed';
    },
  },
  NUNITXML: {
    element: 'test-case',
    outcome({ result, executed, success }) {
      if (result === undefined) {
        if (executed === 'False') return 'skipped';
        return success === 'False' ? 'failed' : 'passed';
      }
      if (result === 'Success') return 'passed';
      return result === 'Failure' || result === 'Error' ? 'failed' : 'skipped';
    },
  },
  NUNIT3XML: {
    element: 'test-case',
    outcome({ result }) {
      if (result === 'Passed' || result === 'Warning') return 'passed';
      return result === 'Failed' ? 'failed' : 'skipped';
    },
  },
  TESTNGXML: {
    element: 'test-method',
    outcome({ status, 'is-config': isConfiguration }) {
      if (isConfiguration === 'true') return undefined;
      if (status === 'PASS') return 'passed';
      return status === 'SKIP' ? 'skipped' : 'failed';
    },
  },
  VISUALSTUDIOTRX: {
    element: 'UnitTestResult',
    outcome({ outcome }) {
      if (outcome === 'Passed' || outcome === 'Warning' || outcome === 'Completed') return 'passed';
      const isSkipped = ['NotExecuted', 'Inconclusive', 'Pending', 'NotRunnable'].includes(outcome ?? '');
      return isSkipped ? 'skipped' : 'failed';
    },
  },
};

const step = z.object({ result: z.object({ status: z.string() }).optional() });
const cucumberSchema = z.array(
  z.object({
    elements: z
      .array(
        z.object({
          type: z.string().optional(),
          steps: z.array(step).default([]),
          before: z.array(step).default([]),
          after: z.array(step).default([]),
        }),
      )
      .default([]),
  }),
);

/** A scenario is one test; its worst step is its outcome. */
function countScenarios(source: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  for (const feature of cucumberSchema.parse(JSON.parse(source))) {
    for (const scenario of feature.elements) {
      if (scenario.type === 'background') continue;
      const statuses = [...scenario.before, ...scenario.steps, ...scenario.after].map(
        ({ result }) => result?.status ?? 'undefined',
      );
      counts[scenarioOutcome(statuses)] += 1;
    }
  }
  return counts;
}

function scenarioOutcome(statuses: readonly string[]): Outcome {
  if (statuses.some(status => ['failed', 'undefined', 'ambiguous'].includes(status))) return 'failed';
  return statuses.some(status => status === 'skipped' || status === 'pending') ? 'skipped' : 'passed';
}
