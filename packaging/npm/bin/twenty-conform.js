#!/usr/bin/env node
// Runs the program of this platform, which npm installed as an optional dependency, with the same arguments and status.
'use strict';

const { spawn } = require('child_process');
const os = require('os');
const { version, optionalDependencies } = require('../package.json');

const SCOPE = '@twenty-conform/';
const own = process.platform + '-' + process.arch;

function fail(words) {
  process.stderr.write('error: ' + words + '\n');
  process.exit(70);
}

function find() {
  const name = process.platform === 'win32' ? 'twenty-conform.exe' : 'twenty-conform';
  const platforms = Object.keys(optionalDependencies).map((one) => one.slice(SCOPE.length));
  if (platforms.indexOf(own) < 0) {
    fail(
      'twenty-conform ' + version + ' has no binary for ' + own + ', only for ' + platforms.join(', ') +
        '; build it from source with `cargo install --locked --path .`'
    );
  }
  try {
    return require.resolve(SCOPE + own + '/bin/' + name);
  } catch (_) {
    return fail(
      'the package ' + SCOPE + own + '@' + version + ' is not installed. If node_modules came from another machine or the installation ' +
        'left out optional dependencies, install again here: npm install --include=optional'
    );
  }
}

const file = find();
const program = spawn(file, process.argv.slice(2), { stdio: 'inherit', windowsHide: true });
// A terminal sends Ctrl-C to both; the program takes a second one at once for the same.
['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGTERM'].forEach((signal) => process.on(signal, () => program.kill(signal)));
program.on('error', (why) => {
  const hint = { EACCES: 'it may not be executed: the file system may be mounted with noexec', ENOEXEC: 'it is for another architecture' };
  fail('cannot run ' + file + ': ' + (hint[why.code] || why.message));
});
program.on('exit', (status, signal) => {
  process.exit(status === null ? 128 + (os.constants.signals[signal] || 0) : status);
});
