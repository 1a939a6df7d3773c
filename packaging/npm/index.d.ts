import type { RequestListener } from 'node:http';

/** The last three are for a requirement in a list of known failures. */
export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'not-applicable' | 'error' | 'known-failure' | 'unexpected-pass' | 'drift';
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
  /** A sentence if what was tried is not what Twenty sends today. */
  warning: string | undefined;
  about(id: string): string;
  text(): string;
}

export interface RunOptions {
  /** The lowest level that is tried. Each must fails the run, and with another level each should. The default is `must`. */
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
  /** Vitest and Jest take milliseconds as the second argument, Node's `before` options. */
  beforeAll(prepare: () => Promise<void>, timeout?: any): unknown;
  test(name: string, run: () => void): unknown;
}

/** Declares a test for each requirement, in a framework such as Vitest or Jest. If the suite cannot run, the first fails. */
export function describeReceiver(
  framework: Framework,
  target: string | RequestListener,
  secret: string,
  options?: { path?: string } & RunOptions,
): void;

export class NotConforming extends Error {
  readonly report: Report;
}

export interface SignedRequest {
  /** As Node has those of a request: names in lower case, and the values of a header that is sent twice joined by `, `. */
  headers: Record<string, string>;
  /** Names and values in the order of the wire. A value has one character for each byte (Latin-1). */
  headerList: [name: string, value: string][];
  body: Buffer;
}

export interface DeliveryOptions {
  /** When it is sent; a number has milliseconds since the epoch, and throws if it looks like seconds. The default is the present. */
  now?: Date | number;
  /** `shipped` for the payloads and headers that Twenty's server sends. The default is `documented`. */
  dialect?: 'documented' | 'shipped';
}

/**
 * A valid delivery, signed with this secret. It runs the program once, which takes about 10 ms.
 *
 * `event` is the name of an event whose sample is sent, such as `person.created`; a payload as an object, which is sent as JSON; or the
 * body itself, as bytes or as a string that begins with `{`. The same arguments give the same bytes. Throws an Error, whose message is
 * one line, if there is no such delivery.
 */
export function signedRequest(event: string | Uint8Array | object, secret: string, options?: DeliveryOptions): SignedRequest;

/**
 * A delivery that a receiver must reject: it is wrong in the way of a cause, such as `accepts.stale`.
 *
 * The other arguments are those of `signedRequest`. The cause `accepts.replayed` shows only after a valid delivery with the same arguments,
 * `now` included. It runs the program once, which takes about 10 ms. Throws for a cause that is
 * unknown, that only valid deliveries show, or that needs another secret or body, and as `signedRequest` does.
 */
export function broken(cause: string, event: string | Uint8Array | object, secret: string, options?: DeliveryOptions): SignedRequest;

/** The path of the program: in the variable `TWENTY_CONFORM`, or else that of the package for this platform. */
export function findProgram(): string;
