import { join } from 'node:path';
import { errorMessage } from '../../../core/error.ts';
import type { TestReport } from '../../../model/build.ts';
import { FileRefusedError, readTextWithin } from '../../../platform/files.ts';
import { copyFiles } from '../artifacts.ts';
import type { Buildspec, ReportGroupSettings } from '../buildspec/schema.ts';
import type { Expand } from '../expressions.ts';
import { findFiles, folderInside } from '../file-patterns.ts';
import { lineCoveragePercent } from './coverage.ts';
import { countTests } from './test-counts.ts';

const LARGEST_REPORT_BYTES = 64 * 1024 * 1024;

/**
 * Counts the tests of each report group and keeps the files below `target`. As on CodeBuild, a report that is
 * missing or unreadable is told in the log and fails nothing. Coverage reports are told in the log and kept.
 */
export async function collectReports(
  groups: Buildspec['reports'],
  source: string,
  target: string,
  expand: Expand,
  note: (text: string) => void,
): Promise<TestReport[]> {
  const reports: TestReport[] = [];
  for (const [group, settings] of Object.entries(groups)) {
    try {
      const report = await collectGroup(group, settings, source, target, expand, note);
      if (report !== undefined) reports.push(report);
    } catch (error) {
      note(`Report ${group}: ${errorMessage(error)}`);
    }
  }
  return reports;
}

/** Texts of the reports' settings that may hold expressions. */
export function reportTexts(groups: Buildspec['reports']): string[] {
  return Object.values(groups).flatMap(group => [...group.files, group['base-directory'] ?? '']);
}

async function collectGroup(
  group: string,
  settings: ReportGroupSettings,
  source: string,
  target: string,
  expand: Expand,
  note: (text: string) => void,
): Promise<TestReport | undefined> {
  const base = folderInside(source, expand(settings['base-directory'] ?? '.'));
  const patterns = settings.files.map(expand);
  const files = await findFiles(base, patterns);
  if (files.length === 0) {
    note(`Report ${group}: no file matches [${patterns.join(', ')}]`);
    return undefined;
  }
  await copyFiles(base, files, join(target, encodeURIComponent(group)), settings['discard-paths']);
  const report: TestReport = { group, total: 0, passed: 0, failed: 0, skipped: 0 };
  const format = settings['file-format'];
  for (const { path } of files) {
    try {
      const text = await readTextWithin(join(base, path), LARGEST_REPORT_BYTES);
      if (isCoverage(format)) noteCoverage(group, path, lineCoveragePercent(format, text), note);
      else addCounts(report, countTests(format, text));
    } catch (error) {
      const fault = error instanceof FileRefusedError ? '' : `is not ${format}: `;
      note(`Report ${group}: ${path} ${fault}${errorMessage(error)}`);
    }
  }
  if (isCoverage(format)) return undefined;
  note(
    `Report ${group}: ${report.total} tests, ${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`,
  );
  return report;
}

function isCoverage(
  format: ReportGroupSettings['file-format'],
): format is 'CLOVERXML' | 'COBERTURAXML' | 'JACOCOXML' | 'SIMPLECOV' {
  return ['CLOVERXML', 'COBERTURAXML', 'JACOCOXML', 'SIMPLECOV'].includes(format);
}

function noteCoverage(
  group: string,
  path: string,
  percent: number | undefined,
  note: (text: string) => void,
): void {
  note(
    `Report ${group}: ${path} ${percent === undefined ? 'tells no line coverage' : `covers ${percent.toFixed(1)} % of lines`}`,
  );
}

function addCounts(report: TestReport, counts: Pick<TestReport, 'passed' | 'failed' | 'skipped'>): void {
  report.passed += counts.passed;
  report.failed += counts.failed;
  report.skipped += counts.skipped;
  report.total += counts.passed + counts.failed + counts.skipped;
}
