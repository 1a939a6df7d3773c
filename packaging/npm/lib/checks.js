// Runs the suite on a receiver from a test, in any test framework.
'use strict';

const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { AssertionError } = require('assert');
const { findProgram } = require('./program.js');

// Exit statuses of a run that was judged: it passed, failed, was incomplete, or has only known failures.
const JUDGED = [0, 1, 3, 5];

/** A receiver does not conform. `report` has everything that is known; the message has the findings with their fixes. */
class NotConforming extends AssertionError {
  constructor(report) {
    super({ message: report.text() });
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

  /** The findings of a requirement in a few lines, or why it did not pass. */
  about(id) {
    const lines = this.findings.filter((one) => one.requirements.includes(id)).flatMap(linesOf);
    const one = this.requirements.find((requirement) => requirement.id === id);
    return lines.join('\n') || `${id} ${one.title}: ${one.verdict}: ${one.reason}`;
  }

  /** The findings, the most important first, and what was inconclusive. */
  text() {
    const lines = [`the receiver does not conform: ${this.result}`, ...this.findings.flatMap(linesOf)];
    const open = this.requirements.filter((one) => one.isGated && one.verdict === 'inconclusive');
    if (open.length > 0) {
      lines.push(`${open.length} inconclusive, the first: ${open[0].id} ${open[0].title}: ${open[0].reason}`);
    }
    return [...lines, ...this.json.notes, `again: --seed ${this.seed}`].join('\n');
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
    if (typeof this.target === 'string') return ran(this.target, this.secret, level, args, timeout);
    const server = http.createServer(this.target);
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    try {
      const url = `http://127.0.0.1:${server.address().port}${this.route}`;
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
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'twenty-conform-'));
  try {
    const file = path.join(folder, 'report.json');
    const command = ['receiver', '--url', url, '--level', level, '--quiet', '--report', `json=${file}`, ...args];
    // Options of the surroundings are not those of this test.
    const names = Object.keys(process.env).filter((name) => !name.startsWith('TWENTY_'));
    const env = { ...Object.fromEntries(names.map((name) => [name, process.env[name]])), TWENTY_WEBHOOK_SECRET: secret };
    const { status, said } = await ended(spawn(findProgram(), command, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true }), timeout);
    if (!JUDGED.includes(status) || !fs.existsSync(file)) {
      throw new Error(said.trim() || `twenty-conform ended with status ${status}`);
    }
    return new Report(JSON.parse(fs.readFileSync(file, 'utf8')));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for a process, which ends with this one. */
function ended(program, timeout) {
  const end = () => program.kill('SIGTERM');
  process.once('exit', end);
  let said = '';
  for (const stream of [program.stdout, program.stderr]) stream.on('data', (data) => (said += data));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      end();
      reject(new Error(`the run did not end within ${timeout / 1000} s; give a longer timeout, or fewer cases: --cases 4`));
    }, timeout);
    program.on('error', reject);
    program.on('close', (status) => resolve({ status, said }));
    program.on('close', () => {
      clearTimeout(late);
      process.removeListener('exit', end);
    });
  });
}

/** A receiver: its URL, or a handler of requests such as an Express application, which is served while the suite runs. */
exports.receiver = (target, secret, options) => new Receiver(target, secret, options);

/** Declares a test for each requirement, in a framework with `describe`, `beforeAll` and `test`, such as Vitest and Jest. */
exports.describeReceiver = ({ describe, beforeAll, test }, target, secret, options = {}) => {
  const { level = 'must', timeout = 120000 } = options;
  const levels = ['must', 'should', 'advice'].slice(0, ['must', 'should', 'advice'].indexOf(level) + 1);
  const listed = spawnSync(findProgram(), ['list', '--json'], { encoding: 'utf8', windowsHide: true });
  if (listed.status !== 0) throw new Error(listed.stderr || String(listed.error));
  const requirements = JSON.parse(listed.stdout).requirements.filter((one) => one.role === 'receiver' && levels.includes(one.level));
  describe('twenty-conform receiver', () => {
    let report;
    beforeAll(async () => {
      report = await exports.receiver(target, secret, options).run(options);
    }, timeout + 10000);
    test('conforms', () => {
      if (!report.passed) throw new NotConforming(report);
    });
    requirements.forEach(({ id, title }) => {
      // Without a parameter, because Jest would wait for a callback.
      test(`${id} ${title}`, function () {
        const context = arguments[0];
        const one = report.requirements.find((requirement) => requirement.id === id);
        const isOpen = !one || one.verdict === 'not-applicable' || one.verdict === 'inconclusive';
        // What is inconclusive depends on what failed, which has a test of its own.
        if (isOpen && context && context.skip) context.skip(one ? one.reason : 'it was not tried');
        if (one && one.isGated && ['fail', 'inconclusive', 'error'].includes(one.verdict)) {
          throw new AssertionError({ message: report.about(id) });
        }
      });
    });
  });
};

exports.NotConforming = NotConforming;
exports.findProgram = findProgram;
