//! Lines of code that fix what a receiver signs and compares, by cause and by what the receiver is written with.
//!
//! In them, `secret`, `timestamp`, `signature` and `rawBody` or `body` are what their names say. Long because: it is a table.

use super::Row;
use super::Stack::{
    Django, Express, FastApi, Fastify, Flask, Go, Java, JavaScript, Next, Node, Php, Python, Rails, Ruby,
    Spring, TwentyApp,
};
use crate::suite::cause::Code;

/// What is signed, the key, the digest, the comparison, and the headers with the time.
pub(super) const LINES: &[Row] = &[
    (
        // The signed text.
        &[
            Code::MessageBodyAlone,
            Code::MessageSeparator,
            Code::MessageDoubleStringified,
            Code::MessageTimestampUnit,
            Code::MessageTimestampDiffers,
            Code::MessagePart,
            Code::MessagePrefixOrNewline,
            Code::MessageBytesLiteral,
        ],
        &[
            (Express, r#"hmac.update(req.get("X-Twenty-Webhook-Timestamp") + ":").update(rawBody)"#),
            (Next, r#"hmac.update(request.headers.get("X-Twenty-Webhook-Timestamp") + ":").update(rawBody)"#),
            (Fastify, r#"hmac.update(request.headers["x-twenty-webhook-timestamp"] + ":").update(rawBody)"#),
            (
                JavaScript,
                r#"hmac.update(timestamp + ":").update(rawBody)  // the header's text, and a Buffer"#,
            ),
            (
                FastApi,
                r#"request.headers["x-twenty-webhook-timestamp"].encode() + b":" + await request.body()"#,
            ),
            (Flask, r#"request.headers["X-Twenty-Webhook-Timestamp"].encode() + b":" + request.get_data()"#),
            (Django, r#"request.headers["X-Twenty-Webhook-Timestamp"].encode() + b":" + request.body"#),
            (Python, r#"hmac.new(secret.encode(), timestamp.encode() + b":" + body, hashlib.sha256)"#),
            (Go, r#"io.WriteString(mac, r.Header.Get("X-Twenty-Webhook-Timestamp")+":"); mac.Write(body)"#),
            (
                Php,
                r#"hash_hmac("sha256", $_SERVER["HTTP_X_TWENTY_WEBHOOK_TIMESTAMP"] . ":" . $body, $secret)"#,
            ),
            (Rails, r##"OpenSSL::HMAC.hexdigest("SHA256", secret, "#{timestamp}:#{request.raw_post}")"##),
            (
                Ruby,
                r##"OpenSSL::HMAC.hexdigest("SHA256", secret, "#{timestamp}:#{body}")  # body: raw bytes"##,
            ),
            (Java, r#"mac.update((timestamp + ":").getBytes(UTF_8)); byte[] digest = mac.doFinal(body);"#),
        ],
    ),
    (
        // The bytes of the body.
        &[
            Code::MessageReserialised,
            Code::MessageTextEncoding,
            Code::MessageBodyConsumed,
            Code::MessageSecretMember,
            Code::RefusesSplitCharacter,
            Code::RefusesSpelling,
        ],
        &[
            (
                Express,
                r#"app.post("/", express.raw({ type: "*/*", limit: "2mb" }), handler)  // req.body: bytes"#,
            ),
            (Next, "const rawBody = Buffer.from(await request.arrayBuffer());  // pages/: bodyParser: false"),
            (
                Fastify,
                r#"app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_, raw) => raw)"#,
            ),
            (Node, r#"const rawBody = await buffer(req);  // import { buffer } from "stream/consumers""#),
            (FastApi, "body = await request.body()  # bytes; the parameter is request: Request, no model"),
            (Flask, "body = request.get_data()  # bytes, before request.json and request.form"),
            (Django, "body = request.body  # bytes, before request.POST; then json.loads(body)"),
            (Go, "body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20)) // then json.Unmarshal"),
            (Php, r#"$body = file_get_contents("php://input");  // then json_decode($body, true)"#),
            (Rails, "body = request.raw_post  # then JSON.parse(body), not params"),
            (TwentyApp, "const { rawBody } = event;  // the text as it came; event.body is parsed"),
            (Ruby, "body = request.body.read  # bytes; then JSON.parse(body)"),
            (
                Spring,
                "ResponseEntity<Void> receive(@RequestBody byte[] body, @RequestHeader HttpHeaders headers)",
            ),
        ],
    ),
    (
        &[Code::MessageBodyBase64],
        &[
            (
                JavaScript,
                r#"const rawBody = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");"#,
            ),
            (
                Python,
                r#"base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()"#,
            ),
        ],
    ),
    (
        // The key.
        &[
            Code::KeyHexDecoded,
            Code::KeyBase64Decoded,
            Code::KeyTrimmed,
            Code::KeyPrefix,
            Code::DigestAlgorithm,
        ],
        &[
            (
                JavaScript,
                r#"createHmac("sha256", process.env.TWENTY_WEBHOOK_SECRET)  // the text itself is the key"#,
            ),
            (
                Python,
                r#"hmac.new(os.environ["TWENTY_WEBHOOK_SECRET"].encode(), signed_bytes, hashlib.sha256)"#,
            ),
            (Go, r#"mac := hmac.New(sha256.New, []byte(os.Getenv("TWENTY_WEBHOOK_SECRET")))"#),
            (Php, r#"hash_hmac("sha256", $signed, getenv("TWENTY_WEBHOOK_SECRET"))"#),
            (Ruby, r#"OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("TWENTY_WEBHOOK_SECRET"), signed)"#),
            (Java, r#"mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));"#),
        ],
    ),
    (
        &[Code::KeyEmpty],
        &[
            (
                JavaScript,
                r#"const secrets = [current, previous].filter(Boolean);  // without "" and undefined"#,
            ),
            (
                Python,
                r#"secrets = [secret for secret in (current, previous) if secret]  # without "" and None"#,
            ),
            (Go, r#"if secret == "" { continue } // an unset secret is no key"#),
            (Php, r#"$secrets = array_filter([$current, $previous]);  // without "" and false"#),
            (Ruby, "secrets = [current, previous].compact.reject(&:empty?)"),
            (Java, "Stream.of(current, previous).filter(secret -> secret != null && !secret.isEmpty())"),
        ],
    ),
    (
        &[Code::KeyOtherWebhook],
        &[
            (
                JavaScript,
                r#"if (!process.env.TWENTY_WEBHOOK_SECRET) throw new Error("no webhook secret is set");"#,
            ),
            (Python, r#"SECRET = os.environ["TWENTY_WEBHOOK_SECRET"]  # a KeyError if it is not set"#),
            (Go, r#"if secret == "" { log.Fatal("TWENTY_WEBHOOK_SECRET is not set") }"#),
            (Php, r#"$secret = getenv("TWENTY_WEBHOOK_SECRET") ?: throw new RuntimeException("no secret");"#),
            (Ruby, r#"ENV.fetch("TWENTY_WEBHOOK_SECRET")  # a KeyError if it is not set"#),
            (Spring, r#"@Value("${TWENTY_WEBHOOK_SECRET}") String secret;  // no default after a colon"#),
        ],
    ),
    (
        &[Code::DigestEncoding, Code::DigestPrefix],
        &[
            (
                JavaScript,
                r#"const expected = hmac.digest("hex");  // 64 lower-case digits, nothing before them"#,
            ),
            (Python, "expected = mac.hexdigest()  # 64 lower-case digits, nothing before them"),
            (Go, "expected := hex.EncodeToString(mac.Sum(nil)) // 64 lower-case digits"),
            (Php, r#"$expected = hash_hmac("sha256", $signed, $secret);  // hex: no fourth argument"#),
            (
                Ruby,
                r#"expected = OpenSSL::HMAC.hexdigest("SHA256", secret, signed)  # not digest, not base64"#,
            ),
            (Java, "String expected = HexFormat.of().formatHex(mac.doFinal(body));  // Java 17"),
        ],
    ),
    (
        &[Code::DigestTrailing, Code::DigestTruncated],
        &[
            (Express, "if (!/^[0-9a-f]{64}$/.test(signature)) return res.sendStatus(401);"),
            (Next, "if (!/^[0-9a-f]{64}$/.test(signature)) return new Response(null, { status: 401 });"),
            (Fastify, "if (!/^[0-9a-f]{64}$/.test(signature)) return reply.code(401).send();"),
            (JavaScript, "if (!/^[0-9a-f]{64}$/.test(signature)) return false;"),
            (Python, r#"if not re.fullmatch("[0-9a-f]{64}", signature): return False"#),
            (Go, r#"regexp.MustCompile("^[0-9a-f]{64}$").MatchString(signature)"#),
            (Php, r#"preg_match('/^[0-9a-f]{64}$/D', $signature) === 1"#),
            (Ruby, r"signature.match?(/\A[0-9a-f]{64}\z/)"),
            (Java, r#"signature.matches("[0-9a-f]{64}")"#),
        ],
    ),
    (
        &[Code::CrashSignatureLength, Code::CrashHeaderBytes],
        &[
            (JavaScript, "given.length === expected.length && timingSafeEqual(given, expected)  // Buffers"),
            (
                Python,
                r#"hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))  # bytes"#,
            ),
            (Go, "hmac.Equal([]byte(expected), []byte(signature)) // false if the lengths differ"),
            (Php, r#"hash_equals($expected, $_SERVER["HTTP_X_TWENTY_WEBHOOK_SIGNATURE"] ?? "")"#),
            (Rails, "ActiveSupport::SecurityUtils.secure_compare(expected.b, signature.b)"),
            (Ruby, "Rack::Utils.secure_compare(expected, signature)"),
            (Java, "MessageDigest.isEqual(expected.getBytes(UTF_8), signature.getBytes(UTF_8))"),
        ],
    ),
    (
        &[Code::HeaderName, Code::RefusesHeaderCase],
        &[
            (Express, r#"req.get("X-Twenty-Webhook-Signature")  // in any case"#),
            (Next, r#"request.headers.get("X-Twenty-Webhook-Signature")  // in any case"#),
            (Fastify, r#"request.headers["x-twenty-webhook-signature"]  // Node has names in lower case"#),
            (Node, r#"req.headers["x-twenty-webhook-signature"]  // Node has names in lower case"#),
            (FastApi, r#"request.headers.get("X-Twenty-Webhook-Signature", "")  # in any case"#),
            (Flask, r#"request.headers.get("X-Twenty-Webhook-Signature", "")  # in any case"#),
            (Django, r#"request.headers.get("X-Twenty-Webhook-Signature", "")  # in any case"#),
            (Go, r#"r.Header.Get("X-Twenty-Webhook-Signature") // in any case"#),
            (Php, r#"$_SERVER["HTTP_X_TWENTY_WEBHOOK_SIGNATURE"] ?? """#),
            (Rails, r#"request.headers["X-Twenty-Webhook-Signature"].to_s"#),
            (
                TwentyApp,
                r#"event.headers["x-twenty-webhook-signature"]  // in lower case, and only if declared"#,
            ),
            (
                Spring,
                r#"headers.getFirst("X-Twenty-Webhook-Signature")  // @RequestHeader HttpHeaders headers"#,
            ),
        ],
    ),
    (
        // Programs in front that forward only the headers they are configured for. Without those nothing can be verified.
        &[Code::HeaderNotForwarded, Code::RefusesEverything],
        &[(
            TwentyApp,
            r#"forwardedRequestHeaders: ["x-twenty-webhook-timestamp", "x-twenty-webhook-signature"]"#,
        )],
    ),
    (
        &[Code::HeaderDuplicate],
        &[
            (Express, r#"req.headersDistinct["x-twenty-webhook-signature"]?.length === 1"#),
            (Fastify, r#"request.raw.headersDistinct["x-twenty-webhook-signature"]?.length === 1"#),
            (FastApi, r#"len(request.headers.getlist("x-twenty-webhook-signature")) == 1"#),
            (Go, r#"len(r.Header.Values("X-Twenty-Webhook-Signature")) == 1"#),
            (Spring, r#"headers.getValuesAsList("X-Twenty-Webhook-Signature").size() == 1"#),
        ],
    ),
    (
        &[Code::AcceptsTimestampFormat, Code::HeaderTimestampFormat],
        &[
            (JavaScript, "/^[0-9]{1,15}$/.test(timestamp)  // before Number(timestamp)"),
            (Python, r#"re.fullmatch("[0-9]{1,15}", timestamp)  # before int(timestamp)"#),
            (Go, "ms, err := strconv.ParseUint(timestamp, 10, 63) // refuses signs and blanks"),
            (Php, r#"preg_match('/^[0-9]{1,15}$/D', $timestamp) === 1  // before (int) $timestamp"#),
            (Ruby, r"timestamp.match?(/\A[0-9]{1,15}\z/)  # before timestamp.to_i"),
            (Java, r#"timestamp.matches("[0-9]{1,15}")  // before Long.parseLong(timestamp)"#),
        ],
    ),
    (
        &[Code::AcceptsStale, Code::AcceptsFuture],
        &[
            (JavaScript, "Math.abs(Date.now() - Number(timestamp)) <= 5 * 60 * 1000"),
            (Python, "abs(time.time() * 1000 - int(timestamp)) <= 5 * 60 * 1000"),
            (Go, "time.Since(time.UnixMilli(int64(ms))).Abs() <= 5*time.Minute"),
            (Php, "abs(microtime(true) * 1000 - (int) $timestamp) <= 5 * 60 * 1000"),
            (Ruby, "(Time.now.to_f * 1000 - timestamp.to_i).abs <= 5 * 60 * 1000"),
            (Java, "Math.abs(System.currentTimeMillis() - Long.parseLong(timestamp)) <= 300_000"),
        ],
    ),
];
