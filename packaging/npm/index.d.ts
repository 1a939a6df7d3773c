import type { RequestListener } from 'node:http';

export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'not-applicable' | 'error';
export type Level = 'must' | 'should' | 'advice';

export interface Requirement {
  id: string;
  title: string;
  level: Level;
  verdict: Verdict;
  /** Whether it fails the run if it fails or is inconclusive. */
  isGated: boolean;
  /** Why it did not pass; empty if it did. */
  reason: string;
}

export interface Finding {
  /** A code such as `message.body-alone`, if the cause is known. */
  cause?: string;
  requirements: string[];
  level: Level;
  text: string;
  fix?: string;
  avoid?: string;
  code_line?: string;
}

export interface Report {
  /** The JSON report. */
  json: unknown;
  result: 'pass' | 'fail' | 'incomplete' | 'error' | 'interrupted';
  seed: number;
  passed: boolean;
  requirements: Requirement[];
  findings: Finding[];
  about(id: string): string;
  text(): string;
}

export interface RunOptions {
  /** Up to which level requirements are tried. The default is `must`. */
  level?: Level;
  /** Further options of `twenty-conform receiver`. */
  args?: string[];
  /** Milliseconds. The default is 120000. */
  timeout?: number;
}

export interface Receiver {
  /** Runs the suite. Rejects if there is no report. */
  run(options?: RunOptions): Promise<Report>;
  /** The same, and rejects with NotConforming if the receiver does not conform. */
  check(options?: RunOptions): Promise<Report>;
}

/** A receiver: its URL, or a handler of requests such as an Express application, which is served while the suite runs. */
export function receiver(target: string | RequestListener, secret: string, options?: { path?: string }): Receiver;

export interface Framework {
  describe(name: string, declare: () => void): unknown;
  beforeAll(prepare: () => Promise<void>, timeout?: number): unknown;
  test(name: string, run: () => void): unknown;
}

/** Declares a test for each requirement, in a framework such as Vitest or Jest. */
export function describeReceiver(
  framework: Framework,
  target: string | RequestListener,
  secret: string,
  options?: { path?: string } & RunOptions,
): void;

export class NotConforming extends Error {
  readonly report: Report;
}

/** The path of the program of this platform. */
export function findProgram(): string;
