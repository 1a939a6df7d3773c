// Checks a verification of Twenty's webhooks against vectors.json: node check.mjs
//
// Replace `verify` with a call of your own code. It returns whether a delivery is accepted.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

const FRESH_MS = 5 * 60 * 1000;

function signatureOf(secret, timestamp, body) {
  return createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest('hex');
}

function verify(secret, headers, body, nowMs) {
  // Of a header that is there twice, it is unknown which one counts, so the values together are no signature.
  const timestamp = headers['x-twenty-webhook-timestamp'] ?? '';
  const signature = headers['x-twenty-webhook-signature'] ?? '';
  if (!/^[0-9]{1,15}$/.test(timestamp) || !/^[0-9a-f]{64}$/i.test(signature)) return false;
  const expected = Buffer.from(signatureOf(secret, timestamp, body), 'hex');
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return false;
  if (Math.abs(nowMs - Number(timestamp)) > FRESH_MS) return false;
  try {
    const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
    // Events of metadata have neither.
    const isRecord = ['record', 'data'].every((name) => !(name in event) || isObject(event[name]));
    return isObject(event) && isRecord && typeof (event.eventName ?? event.event) === 'string';
  } catch {
    return false;
  }
}

function bytes(value) {
  if (value.text !== undefined) return Buffer.from(value.text);
  if (value.base64 !== undefined) return Buffer.from(value.base64, 'base64');
  const { before, repeat, times, after } = value.generated;
  return Buffer.from(before + repeat.repeat(times) + after);
}

const file = new URL('vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8'));
const wrong = [];
for (const vector of vectors) {
  const headers = {};
  for (const [name, value] of vector.headers) {
    const key = name.toLowerCase();
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
  }
  const body = bytes(vector.body);
  if (vector.signature !== undefined) {
    const timestamp = headers['x-twenty-webhook-timestamp'];
    const isRight = signatureOf(vector.secret, timestamp, body) === vector.signature;
    const isShown = Buffer.concat([Buffer.from(`${timestamp}:`), body]).equals(bytes(vector.signed));
    if (!isRight || !isShown) wrong.push(`${vector.id}: the signature is another one`);
  }
  if (vector.accept !== undefined && verify(vector.secret, headers, body, vector.now_ms) !== vector.accept) {
    wrong.push(`${vector.id}: must be ${vector.accept ? 'accepted' : 'rejected'} (${vector.requirement}): ${vector.notes}`);
  }
}
for (const line of wrong) console.log(line);
console.log(`${vectors.length - wrong.length} of ${vectors.length} vectors are right`);
process.exitCode = wrong.length > 0 ? 1 : 0;
