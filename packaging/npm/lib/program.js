// Where the program of this platform is, which npm installed as an optional dependency.
'use strict';

const { version, optionalDependencies } = require('../package.json');

const SCOPE = '@twenty-conform/';
const own = process.platform + '-' + process.arch;

/** The path of the program. Throws an Error whose message says what to do if there is none. */
exports.findProgram = function () {
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
