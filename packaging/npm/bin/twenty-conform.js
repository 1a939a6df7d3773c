#!/usr/bin/env node
// Runs the program of this platform with the same arguments and status.
'use strict';

const { spawn } = require('child_process');
const os = require('os');
const { packagedProgram } = require('../lib/program.js');

function fail(words) {
  process.stderr.write('error: ' + words + '\n');
  process.exit(70);
}

let file;
try {
  file = packagedProgram();
} catch (why) {
  fail(why.message);
}
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
