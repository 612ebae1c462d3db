import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineCoveragePercent, type CoverageFormat } from './coverage.ts';
import { countTests, type TestFormat } from './test-counts.ts';
import { xmlTags } from './xml.ts';

const counted: { format: TestFormat; source: string }[] = [
  {
    format: 'JUNITXML',
    source: `<?xml version="1.0"?><!-- <testcase/> --><testsuites><testsuite name="a > b" tests="9">
      <testcase name="p1"/><testcase name="p2"><system-out><![CDATA[<failure> & co]]></system-out></testcase>
      <testsuite><testcase name="f1"><failure message='x "y"'>text</failure></testcase></testsuite>
      <testcase name="f2"><error/></testcase><testcase name="s"><skipped/></testcase></testsuite></testsuites>`,
  },
  {
    format: 'NUNITXML',
    source: `<test-results><test-case executed="True" success="True" result="Success"/><test-case executed="True" success="True"/>
      <test-case result="Failure"><failure><message/></failure></test-case><test-case result="Error"/>
      <test-case executed="False" result="Ignored"/></test-results>`,
  },
  {
    format: 'NUNIT3XML',
    source: `<test-run><test-suite result="Failed"><test-case result="Passed"/><test-case result="Warning"/>
      <test-case result="Failed"/><test-case result="Failed"/><test-case result="Skipped"/></test-suite></test-run>`,
  },
  {
    format: 'TESTNGXML',
    source: `<testng-results><suite><class><test-method status="PASS" is-config="true"/><test-method status="PASS"/>
      <test-method status="PASS"><params/></test-method><test-method status="FAIL"/><test-method status="FAIL"/>
      <test-method status="SKIP"/></class></suite></testng-results>`,
  },
  {
    format: 'VISUALSTUDIOTRX',
    source: `<t:TestRun xmlns:t="x"><Results><t:UnitTestResult outcome="Passed"/><UnitTestResult outcome="Passed"><Output/></UnitTestResult>
      <UnitTestResult outcome="Failed"/><UnitTestResult outcome="Timeout"/><UnitTestResult outcome="NotExecuted"/></Results></t:TestRun>`,
  },
  {
    format: 'CUCUMBERJSON',
    source: JSON.stringify([
      {
        elements: [
          { type: 'background', steps: [{ result: { status: 'failed' } }] },
          ...['passed', 'passed', 'failed', 'undefined', 'skipped'].map(status => ({
            type: 'scenario',
            steps: [{ result: { status: 'passed' } }, { result: { status } }],
          })),
        ],
      },
      {},
    ]),
  },
];

test.each(counted)('counts the tests of $format', ({ format, source }) => {
  expect(countTests(format, source)).toEqual({ passed: 2, failed: 2, skipped: 1 });
});

const covered: { format: CoverageFormat; source: string }[] = [
  {
    format: 'CLOVERXML',
    source: `<coverage><project><package><metrics statements="1" coveredstatements="1"/></package><metrics statements="8" coveredstatements="6"/></project></coverage>`,
  },
  { format: 'COBERTURAXML', source: `<!DOCTYPE coverage><coverage line-rate="0.75"><packages/></coverage>` },
  {
    format: 'JACOCOXML',
    source: `<report><package><counter type="LINE" missed="9" covered="1"/></package><counter type="BRANCH" missed="1" covered="0"/><counter type="LINE" missed="1" covered="3"/></report>`,
  },
  {
    format: 'SIMPLECOV',
    source: '{"RSpec":{"coverage":{"a.rb":{"lines":[1,null,0]},"b.rb":[2,2]},"timestamp":1}}',
  },
];

test.each(covered)('reads the line coverage of $format', ({ format, source }) => {
  expect(lineCoveragePercent(format, source)).toBe(75);
});

test('a file of another kind is an error, not a count of nothing', () => {
  expect(() => countTests('JUNITXML', '<testsuites><testcase>')).toThrow('not closed');
  expect(() => countTests('JUNITXML', '<a></b>')).toThrow('closes nothing');
  expect(() => countTests('CUCUMBERJSON', '<xml/>')).toThrow(SyntaxError);
});

test('any text is either read or refused, in time', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'<>/!-?["\'=a '.split('')), maxLength: 200 }), text => {
      try {
        for (const tag of xmlTags(text)) expect(typeof tag.name).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
    }),
  );
});
