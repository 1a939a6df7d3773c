// Deliveries of Twenty's webhooks for unit tests without a server: valid ones, and ones that a receiver must reject.
'use strict';

const { spawnSync } = require('child_process');
const { isAnyArrayBuffer, isUint8Array } = require('util').types;
const { environment, errorIn, findProgram } = require('./program.js');

// Signing takes milliseconds. A program that hangs must not hang the tests.
const TIMEOUT = 60000;
// In 1973. Seconds are less until the year 5138.
const EARLIEST = 1e11;

/** A valid delivery, signed with this secret. index.d.ts describes the arguments. */
exports.signedRequest = (event, secret, options) => delivery([], event, secret, options);

/** A delivery that a receiver must reject: it is wrong in the way of a cause, such as `accepts.stale`. */
exports.broken = (cause, event, secret, options) => delivery([`--broken=${cause}`], event, secret, options);

// By this process's clock, which a test may have set.
function delivery(args, event, secret, { now, dialect = 'documented' } = {}) {
  if (typeof now === 'number' && now > 0 && now < EARLIEST) {
    throw new RangeError(`now is in milliseconds since the epoch, as Date.now() gives it; ${now} looks like seconds`);
  }
  const command = ['sign', '--json', '--config=none', `--dialect=${dialect}`, `--timestamp=${Math.floor(Number(now === undefined ? Date.now() : now))}`, ...args];
  const body = bodyOf(event);
  if (body === undefined) command.push(`--event=${event}`);
  const options = { env: environment(secret), input: body || '', maxBuffer: Infinity, timeout: TIMEOUT, windowsHide: true };
  const ran = spawnSync(findProgram(), command, options);
  if (ran.status !== 0) {
    // A program that reads no body leaves an error of the pipe, which is not the reason.
    const why = ran.status === null ? String(ran.error || ran.signal) : errorIn(String(ran.stderr));
    throw new Error(why || `twenty-conform ended with status ${ran.status}`);
  }
  const made = JSON.parse(ran.stdout);
  const { text, base64 } = made.body;
  return {
    headers: joined(made.headers),
    headerList: made.headers,
    body: text === undefined ? Buffer.from(base64, 'base64') : Buffer.from(text),
  };
}

/** The body; undefined for an event whose sample is sent. */
function bodyOf(event) {
  if (typeof event === 'string') return event.trimStart().startsWith('{') ? event : undefined;
  // Of any realm, because Jest runs tests in their own.
  if (isUint8Array(event)) return event;
  if (isAnyArrayBuffer(event)) return Buffer.from(event);
  if (event === null || typeof event !== 'object' || Array.isArray(event)) {
    throw new TypeError('an event is a name, an object, bytes or a string with JSON');
  }
  return JSON.stringify(event);
}

/** As Node has the headers of a request: names in lower case, and the values of one that is sent twice joined. */
function joined(pairs) {
  const headers = {};
  for (const [name, value] of pairs.map(([name, value]) => [name.toLowerCase(), value])) {
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}
