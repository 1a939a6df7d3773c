// Where the program of this platform is, which npm installed as an optional dependency, and how this package runs it.
'use strict';

const { spawn } = require('child_process');
const { statSync } = require('fs');
const { runInThisContext } = require('vm');
const { version, optionalDependencies } = require('../package.json');

const SCOPE = '@twenty-conform/';
const own = process.platform + '-' + process.arch;
// Waits for a line. The pipe ends without one if this process ends first, however that happens; the program is then ended too.
const WATCH = `trap '' HUP INT QUIT TERM; read -r line || { kill "$0"; sleep 2; kill -KILL "$0"; }`;

/** The path of the program for tests: in the variable TWENTY_CONFORM, or else that of the package. Throws as `packagedProgram` does. */
exports.findProgram = () => {
  const given = process.env.TWENTY_CONFORM;
  if (!given) {
    try {
      return exports.packagedProgram();
    } catch (why) {
      throw new Error(why.message + '; or set the variable TWENTY_CONFORM to the path of a program');
    }
  }
  const found = statSync(given, { throwIfNoEntry: false });
  if (found && found.isFile()) return given;
  throw new Error('the variable TWENTY_CONFORM has no path of a program: ' + given);
};

/**
 * The path of the program of the package. Throws an Error whose message says what to do if there is none.
 *
 * The command uses this one: the variable may name the command itself.
 */
exports.packagedProgram = function () {
  const name = process.platform === 'win32' ? 'twenty-conform.exe' : 'twenty-conform';
  const platforms = Object.keys(optionalDependencies).map((one) => one.slice(SCOPE.length));
  if (platforms.indexOf(own) < 0) {
    throw new Error(
      'twenty-conform ' + version + ' has no binary for ' + own + ', only for ' + platforms.join(', ') +
        '; build it from source with `cargo install --locked --path .`'
    );
  }
  try {
    return require.resolve(SCOPE + own + '/bin/' + name);
  } catch (_) {
    throw new Error(
      'the package ' + SCOPE + own + '@' + version + ' is not installed. If node_modules came from another machine or the installation ' +
        'left out optional dependencies, install again here: npm install --include=optional'
    );
  }
};

/** The variables of the program. Options of the surroundings are not those of a test. */
exports.environment = (secret) => {
  if (!secret || secret.includes('\0')) {
    throw new Error(secret ? 'the secret has a NUL character, which no variable can have' : 'the secret is empty');
  }
  const names = Object.keys(process.env).filter((name) => !name.startsWith('TWENTY_'));
  const others = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  return { ...others, NO_COLOR: '1', TWENTY_WEBHOOK_SECRET: secret };
};

/** The error among the lines that the program wrote, as one line without `error: `; all of them if there is none. */
exports.errorIn = (said) => {
  const lines = said.split(/\r?\n/);
  const first = lines.findIndex((line) => line.startsWith('error: '));
  if (first < 0) return said.trim();
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('  '));
  const words = [lines[first].slice('error: '.length), ...lines.slice(first + 1, end < 0 ? undefined : end)];
  return words.map((line) => line.trim()).join(' ');
};

/**
 * Has a process ended if this one ends before it, killed or not. Gives the function that lifts this.
 *
 * Signals end Node, and terminate() a worker, without an event. On Windows there is no such guard.
 */
exports.endWithThisProcess = (program) => {
  // Jest gives tests a copy of `process`, which has no events.
  const node = runInThisContext('process');
  const end = () => program.kill();
  // A worker of Vitest or Jest outlives what started it, and only loses the channel to it.
  const events = ['exit', 'disconnect'];
  events.forEach((event) => node.once(event, end));
  const lifts = [() => events.forEach((event) => node.removeListener(event, end))];
  if (process.platform !== 'win32' && program.pid) {
    // In a session of its own, so that Ctrl-C does not end it.
    const options = { detached: true, stdio: ['pipe', 'ignore', 'ignore'] };
    const guard = spawn('/bin/sh', ['-c', WATCH, String(program.pid)], options);
    // An image may have no shell.
    guard.on('error', () => {});
    guard.stdin.on('error', () => {});
    lifts.push(() => guard.stdin.end('\n'));
  }
  return () => lifts.forEach((lift) => lift());
};
