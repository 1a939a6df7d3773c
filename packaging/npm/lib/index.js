'use strict';

const { NotConforming, describeReceiver, receiver } = require('./checks.js');
const { broken, signedRequest } = require('./deliveries.js');
const { findProgram } = require('./program.js');

// As a literal, in which Node finds the names for `import`.
module.exports = { NotConforming, broken, describeReceiver, findProgram, receiver, signedRequest };
