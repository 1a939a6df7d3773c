// twenty-conform bench export k6: sends the pre-signed deliveries of deliveries.json beside it, one after the other and over
// again. NOT TESTED: no k6 has run it yet.
//
//   k6 run --vus 64 --duration 10s -e URL=http://127.0.0.1:3000/hooks deliveries.js
//
// Signed at @SIGNED@, good until @UNTIL@. It refuses to begin later: a receiver would be right to refuse what is stale.
import { check } from "k6";
import { SharedArray } from "k6/data";
import exec from "k6/execution";
import http from "k6/http";

const file = new SharedArray("deliveries", () => JSON.parse(open("./deliveries.json")).deliveries);
const url = __ENV.URL || "@URL@";

export const options = { maxRedirects: 0, thresholds: { checks: ["rate==1"] } };

export function setup() {
  if (Date.now() >= @UNTIL_MS@) {
    exec.test.abort("the deliveries are stale: export them anew");
  }
}

export default function () {
  const one = file[exec.scenario.iterationInTest % file.length];
  const headers = {
    "Content-Type": "application/json",
    "X-Twenty-Webhook-Timestamp": one.timestamp,
    "X-Twenty-Webhook-Signature": one.signature,
  };
  if (one.nonce) {
    headers["X-Twenty-Webhook-Nonce"] = one.nonce;
  }
  const answer = http.post(url, one.body, { headers, redirects: 0 });
  check(answer, { acknowledged: (answer) => answer.status >= 200 && answer.status < 300 });
}
