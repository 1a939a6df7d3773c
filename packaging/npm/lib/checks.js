// Runs the suite on a receiver from a test, in any test framework.
'use strict';

const { spawn, spawnSync } = require('child_process');
const http = require('http');
const { endWithThisProcess, environment, errorIn, findProgram } = require('./program.js');

// Exit statuses of a run that was judged: it passed, failed, was incomplete, or has only known failures.
const JUDGED = [0, 1, 3, 5];
// Milliseconds for the program to end by itself.
const CLOSING = 5000;
const LEVELS = ['must', 'should', 'advice'];

/**
 * A receiver does not conform. `report` has everything that is known; the message has the findings with their fixes.
 *
 * Not an AssertionError: Jest and Node would show values that it does not have, before the message.
 */
class NotConforming extends Error {
  constructor(report) {
    super(report.text());
    this.name = 'NotConforming';
    this.report = report;
  }
}

class Report {
  constructor(json) {
    this.json = json;
    this.result = json.result;
    this.seed = json.seed;
    this.passed = json.exit_status === 0;
    const gated = json.fail_on === 'should' ? ['must', 'should'] : ['must'];
    this.requirements = json.requirements.map((one) => {
      const checks = json.checks.filter((check) => check.requirements.includes(one.id));
      const shown = checks.find((check) => check.message && check.verdict === one.verdict);
      return {
        id: one.id,
        title: one.title,
        level: one.level,
        verdict: one.verdict,
        isGated: gated.includes(one.level),
        reason: shown ? shown.message : '',
      };
    });
    this.findings = json.findings;
  }

  /** A sentence if what was tried is not what Twenty sends today; else undefined. */
  get warning() {
    const choice = this.json.dialect_choice;
    return choice && choice.refused === 'shipped' ? choice.sentence : undefined;
  }

  /** The findings of a requirement in a few lines, or why it did not pass. */
  about(id) {
    const one = this.requirements.find((requirement) => requirement.id === id);
    // With what was answered to this one.
    const isIts = (check) => check.requirements.includes(id) && ['fail', 'drift'].includes(check.verdict) && check.actual;
    const { actual: answered, expected } = this.json.checks.find(isIts) || {};
    const found = this.findings.filter((finding) => finding.requirements.includes(id));
    const lines = found.flatMap((finding) => linesOf({ ...finding, answered, expected }));
    return lines.join('\n') || `${id} ${one.title}: ${one.verdict}: ${one.reason}`;
  }

  /** The findings, the most important first, and what was inconclusive. */
  text() {
    const lines = [`the receiver does not conform: ${this.result}`, ...this.findings.flatMap(linesOf)];
    const open = this.requirements.filter((one) => one.isGated && one.verdict === 'inconclusive');
    if (open.length > 0) {
      lines.push(`${open.length} inconclusive, the first: ${open[0].id} ${open[0].title}: ${open[0].reason}`);
    }
    return [...lines, ...this.json.notes, `again: args: ['--seed', '${this.seed}']`].join('\n');
  }
}

function linesOf(finding) {
  const lines = [`${finding.requirements.join(', ')}: ${finding.text}${finding.cause ? `  [${finding.cause}]` : ''}`];
  if (finding.fix) lines.push(`  fix       ${finding.fix}`);
  if (finding.code_line) lines.push(`              ${finding.code_line}`);
  if (finding.avoid) lines.push(`  do not    ${finding.avoid}`);
  if (finding.answered) lines.push(`  answered  ${finding.answered}, expected ${finding.expected || 'another answer'}`);
  if (finding.cause) lines.push(`  more      twenty-conform explain ${finding.cause}`);
  return lines;
}

class Receiver {
  constructor(target, secret, { path: route = '/' } = {}) {
    this.target = target;
    this.secret = secret;
    this.route = route;
  }

  /** Runs the suite. Rejects with an Error that says why if there is no report. */
  async run({ level = 'must', args = [], timeout = 120000 } = {}) {
    if (typeof this.target === 'string' && this.route !== '/') {
      throw new Error(`path is for a handler of requests; with a URL, make it part of the URL ${this.target}`);
    }
    if (typeof this.target === 'string') return ran(this.target, this.secret, level, args, timeout);
    if (typeof this.target !== 'function') throw new Error(`a receiver is a URL or a handler of requests, not ${typeof this.target}`);
    const server = http.createServer(this.target);
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    try {
      const url = `http://127.0.0.1:${server.address().port}/${this.route.replace(/^\/+/, '')}`;
      return await ran(url, this.secret, level, args, timeout);
    } finally {
      await new Promise((resolve) => {
        server.close(resolve);
        if (server.closeAllConnections) server.closeAllConnections();
      });
    }
  }

  /** Runs the suite. Rejects with NotConforming if the receiver does not conform, and as `run` does. */
  async check(options) {
    const report = await this.run(options);
    if (!report.passed) throw new NotConforming(report);
    return report;
  }
}

async function ran(url, secret, level, args, timeout) {
  // Each default gives way to the caller's option. Runs at the same time would share the files for `replay`, which needs a receiver
  // that still runs. The program's own limit must not come first: it would leave requirements inconclusive.
  const limit = `${Math.ceil(timeout / 1000) + 10}s`;
  const defaults = [['--no-cache'], ['--fail-on', level === 'must' ? 'must' : 'should'], ['--max-time', limit]];
  const given = args.map((one) => one.split('=')[0]);
  const more = defaults.filter(([name]) => !given.includes(name));
  const command = ['receiver', '--url', url, '--level', level, '--quiet', '--report', 'json=-'].concat(...more, args);
  const options = { env: environment(secret), stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true };
  const { status, printed, said } = await ended(spawn(findProgram(), command, options), timeout);
  if (!JUDGED.includes(status)) throw new Error(errorIn(said) || `twenty-conform ended with status ${status}`);
  let report;
  try {
    report = JSON.parse(printed);
  } catch (_) {
    throw new Error(`twenty-conform printed no report; these options may be the reason: ${args.join(' ')}`);
  }
  if (report.not_started) throw new Error(report.not_started.fault);
  const made = new Report(report);
  // What it says although it passed.
  [made.warning, ...(made.passed ? report.notes : [])].filter(Boolean).forEach((sentence) => console.warn(sentence));
  return made;
}

/** Waits for the program, and ends it if it takes longer. */
function ended(program, timeout) {
  const lift = endWithThisProcess(program);
  const texts = [program.stdout, program.stderr].map((stream) => {
    const text = [];
    // Whole characters, even if the pipe cuts them.
    stream.setEncoding('utf8').on('data', (data) => text.push(data));
    return text;
  });
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timers = [];
    const late = () => {
      isLate = true;
      program.kill();
      timers.push(setTimeout(() => program.kill('SIGKILL'), CLOSING));
    };
    timers.push(setTimeout(late, timeout));
    const settle = (act) => {
      timers.forEach(clearTimeout);
      lift();
      act();
    };
    program.on('error', (why) => settle(() => reject(why)));
    program.on('close', (status) => {
      const [printed, said] = texts.map((text) => text.join(''));
      const words = `the run did not end within ${timeout / 1000} s; if the receiver answers, give a longer timeout, or fewer cases: --cases 4`;
      settle(() => (isLate ? reject(new Error(words)) : resolve({ status, printed, said })));
    });
  });
}

/** A receiver: its URL, or a handler of requests such as an Express application, which is served while the suite runs. */
exports.receiver = (target, secret, options) => new Receiver(target, secret, options);

/** Declares a test for each requirement, in a framework with `describe`, `beforeAll` and `test`, such as Vitest and Jest. */
exports.describeReceiver = ({ describe, beforeAll, test }, target, secret, options = {}) => {
  const { level = 'must', timeout = 120000 } = options;
  let report;
  // Why there is no report: a failed test, because an Error here would end the collection of tests.
  let failure;
  let requirements = [];
  try {
    requirements = listed(level);
  } catch (why) {
    failure = why;
  }
  describe('twenty-conform receiver', () => {
    beforeAll(async () => {
      try {
        report = failure ? undefined : await exports.receiver(target, secret, options).run(options);
      } catch (why) {
        failure = why;
      }
    }, timeout + 2 * CLOSING);
    test('conforms', () => {
      if (!report) throw failure;
      if (!report.passed) throw new NotConforming(report);
    });
    requirements.forEach(({ id, title }) => {
      // Without a parameter, because Jest would wait for a callback.
      test(`${id} ${title}`, function () {
        const context = arguments[0];
        const one = report && report.requirements.find((requirement) => requirement.id === id);
        const isOpen = !one || ['not-applicable', 'inconclusive', 'known-failure'].includes(one.verdict);
        // What is inconclusive depends on what failed, which has a test of its own.
        if (isOpen && context && context.skip) return context.skip(one ? one.reason : 'it was not tried');
        if (!report) throw new Error('it was not tried, because the suite did not run');
        const isUngated = one && !one.isGated && one.verdict === 'fail';
        if (isUngated && context && context.skip) return context.skip(`does not fail the run: ${one.level}: ${report.about(id)}`);
        if (one && one.isGated && !['pass', 'not-applicable', 'known-failure'].includes(one.verdict)) {
          throw new Error(report.about(id));
        }
      });
    });
  });
};

/** The requirements of receivers up to this level. */
function listed(level) {
  if (!LEVELS.includes(level)) throw new Error(`the level ${level} is none of ${LEVELS.join(', ')}`);
  const ran = spawnSync(findProgram(), ['list', '--json', '--config=none'], { env: environment('none'), encoding: 'utf8', windowsHide: true });
  if (ran.status !== 0) throw new Error(ran.error ? ran.error.message : errorIn(ran.stderr));
  const levels = LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  return JSON.parse(ran.stdout).requirements.filter((one) => one.role === 'receiver' && levels.includes(one.level));
}

exports.NotConforming = NotConforming;
