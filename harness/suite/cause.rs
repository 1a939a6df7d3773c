//! Why a check failed: the stable codes, each with its sentence and its fix in one line. A cause is named only if it
//! reproduces the finding.
//!
//! Long because: the codes are one table.

pub mod capture;
pub mod receiver;
pub mod sender;

use std::fmt;

use crate::suite::requirement::Role;
use crate::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};
use crate::wire::exchange::ExchangeId;

/// Declares the codes in one table: name, code, sentence, fix, where it differs the fix of a sender (`sender …`), and the wrong fix to
/// avoid (`avoid …`, and `sender avoid …` where a sender's author tries another one).
macro_rules! codes {
    ($($name:ident = $code:literal: $text:literal, $fix:literal $(, sender $sender:literal)?, avoid $avoid:literal
        $(, sender avoid $sender_avoid:literal)?;)*) => {
        /// The stable name of a cause.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $text] $name,)*
        }

        impl Code {
            /// Every code that the suite can find.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code in reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What the program under test does.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The usual fix, in one line, for the author of a program of this role.
            pub fn fix(self, role: Role) -> &'static str {
                let (usual, of_sender) = match self { $(Self::$name => ($fix, None::<&str>$(.or(Some($sender)))?),)* };
                of_sender.filter(|_| role == Role::Sender).unwrap_or(usual)
            }

            /// The wrong fix that is often tried instead, by the author of a program of this role.
            pub fn avoid(self, role: Role) -> &'static str {
                let (usual, of_sender) =
                    match self { $(Self::$name => ($avoid, None::<&str>$(.or(Some($sender_avoid)))?),)* };
                of_sender.filter(|_| role == Role::Sender).unwrap_or(usual)
            }
        }
    };
}

codes! {
    MessageBodyAlone = "message.body-alone":
        "the signature covers the body alone, without timestamp and colon",
        "hash the timestamp header's value, a colon and the raw body, then reject timestamps more than 5 minutes off",
        sender "sign the timestamp header's value, a colon, and the body that is sent: hmac(secret, timestamp + \":\" + body)",
        avoid "accept both ways of signing: the old one stays open to replays",
        sender avoid "leave the timestamp out of the header too: receivers reject what has none";
    MessageSeparator = "message.separator":
        "the signed text has something other than a colon between timestamp and body",
        "join the timestamp header's value and the raw body with a single colon before hashing",
        sender "join timestamp and body with a single colon: timestamp + \":\" + body",
        avoid "try several separators until one matches",
        sender avoid "add the separator to the header: only the signed text is wrong";
    MessageDoubleStringified = "message.double-stringified":
        "the payload is stringified twice before it is signed, as in the documentation's faulty sample",
        "hash the raw body; do not pass it through JSON.stringify, which the documentation's sample does once too often",
        sender "sign the JSON text that is sent: `${timestamp}:${body}`, without a second JSON.stringify",
        avoid "copy the documentation's sample: its second JSON.stringify is the fault";
    MessageTimestampUnit = "message.timestamp-unit":
        "the timestamp is read in seconds instead of milliseconds",
        "use the text of the timestamp header unchanged, and compare it with the clock in milliseconds",
        sender "sign the same text that the timestamp header has: milliseconds, not divided",
        avoid "divide the header's value before it is hashed",
        sender avoid "send seconds in the header too: receivers read milliseconds";
    MessageTimestampDiffers = "message.timestamp-differs":
        "the signature covers a timestamp that differs from the header's text",
        "hash the timestamp header's text unchanged: not parsed and printed again",
        sender "read the clock once, and use the same text in the header and in the signed text",
        avoid "widen the time window: the signature is wrong, not the age",
        sender avoid "round the timestamp: it still differs where a second ends between the two readings";
    MessagePart = "message.part":
        "the signature covers only a part of the text that it should cover",
        "hash the timestamp header's value, a colon, and the whole raw body",
        sender "sign the timestamp header's value, a colon, and the whole body",
        avoid "list the members to hash: what is not in the list can be changed by anyone",
        sender avoid "send only the part that is signed: receivers expect the whole body";
    MessagePrefixOrNewline = "message.prefix-or-newline":
        "the signed text has bytes that the body on the wire does not have",
        "hash exactly the bytes that arrived, with nothing before or after them",
        sender "sign exactly the bytes that are sent, without a newline after them",
        avoid "trim the body before hashing: white space at its ends is signed too";
    KeyPrefix = "key.prefix":
        "the key is only a part of the secret, or the secret with something added",
        "use exactly the secret's characters as the key; remove the newline if it is read from a file",
        avoid "cut the secret to a fixed length";
    KeyHexDecoded = "key.hex-decoded":
        "the secret is decoded from hexadecimal before it is used as the key",
        "use the secret's text as the key: its UTF-8 bytes, not decoded",
        avoid "generate another secret: it would be decoded too";
    KeyBase64Decoded = "key.base64-decoded":
        "the secret is decoded from base64 before it is used as the key",
        "use the secret's text as the key: its UTF-8 bytes, not decoded",
        avoid "add or remove a `whsec_` prefix: Twenty's secrets have none";
    KeyTrimmed = "key.trimmed":
        "the secret is trimmed, or changed to upper or lower case, before it is used as the key",
        "use the secret unchanged, without trim(), toUpperCase() or toLowerCase()",
        avoid "choose a secret without capitals or blanks: the next one may have them";
    KeyConfiguration = "key.configuration":
        "the key has what surrounds the secret in a configuration file, or lacks what was cut off there",
        "compare the secret in the running program with the one of the webhook: without quotes, blanks, line ends or a name, \
         and quoted where it contains `$` or `#`",
        avoid "trim the secret in the program: a secret may begin or end with a blank";
    KeyEmpty = "key.empty":
        "the key is empty, as when the secret was never read",
        "read the secret from TWENTY_WEBHOOK_SECRET, or let the suite set your variable: --env 'NAME={secret}'; ignore an unset secret, and \
         refuse to start if none is set",
        sender "read the webhook's secret where it is registered, and sign with it",
        avoid "remove the second secret if you rotate secrets: rotation needs it",
        sender avoid "put a default secret into the code: receivers know only their own";
    KeyOtherWebhook = "key.other-webhook":
        "the key is the secret of another webhook, or a default secret",
        "use this webhook's own secret, and refuse to start without one instead of falling back to a default",
        sender "look up the secret of the webhook that the delivery goes to, for each delivery",
        avoid "put the default secret into Twenty: everybody can read it in the source",
        sender avoid "give all webhooks the same secret: each receiver could then forge deliveries to the others";
    DigestEncoding = "digest.encoding":
        "the digest is not written as lowercase hexadecimal digits",
        "compare with the digest as 64 lowercase hexadecimal digits: digest(\"hex\") or hexdigest()",
        sender "write the digest as 64 lowercase hexadecimal digits: digest(\"hex\") or hexdigest()",
        avoid "decode the header in several ways until one matches",
        sender avoid "send the digest twice, in two forms: receivers read one value";
    DigestPrefix = "digest.prefix":
        "the digits have `sha256=` before them",
        "compare with the 64 digits alone: Twenty's header has no `sha256=` before them",
        sender "send the 64 digits alone as the header's value",
        avoid "remove any prefix before comparing: a prefix is a forged header",
        sender avoid "send the digits in a second header: receivers read X-Twenty-Webhook-Signature";
    DigestTruncated = "digest.truncated":
        "only a part of the digest is used",
        "compare all 64 digits",
        sender "send all 64 digits",
        avoid "compare the first digits only: a short match can be found by trying",
        sender avoid "pad the digits to 64";
    DigestAlgorithm = "digest.algorithm":
        "the algorithm is not HMAC-SHA256",
        "use HMAC with SHA-256: createHmac(\"sha256\", secret), hmac.new(secret, text, hashlib.sha256)",
        avoid "choose the algorithm by a header: a sender could then choose a weaker one";
    DigestAppended = "digest.appended":
        "the digest is appended to the signed text, as Go's h.Sum(text) does",
        "write the text to the hash and call Sum with nil: mac.Write(text); hex.EncodeToString(mac.Sum(nil))",
        avoid "cut off the last 64 digits: without Write they are the digest of nothing",
        sender avoid "cut off the last 64 digits: without Write they are the digest of nothing";
    HeaderMissing = "header.missing":
        "a required header is missing",
        "send X-Twenty-Webhook-Signature and X-Twenty-Webhook-Timestamp with every delivery",
        avoid "send the headers only for some events";
    HeaderDuplicate = "header.duplicate":
        "a header that may appear only once is repeated",
        "read all values of the header, and answer 401 if there is more than one",
        sender "set the header instead of appending to it",
        avoid "take the first or the last value: a proxy may take the other one",
        sender avoid "join both values in one header";
    HeaderTimestampFormat = "header.timestamp-format":
        "the timestamp header is not the current time in decimal milliseconds",
        "read the header as decimal milliseconds since the epoch, which is what Twenty sends",
        sender "write the time of sending as decimal milliseconds since the epoch: Date.now(), time.time_ns() // 1_000_000",
        avoid "parse the header as a date: Date.parse and its like accept much more than digits",
        sender avoid "send an ISO date as well";
    HeaderName = "header.name":
        "a header has the wrong name, or its name is matched case-sensitively",
        "read X-Twenty-Webhook-Signature and X-Twenty-Webhook-Timestamp, and ignore the case of header names",
        sender "send X-Twenty-Webhook-Signature and X-Twenty-Webhook-Timestamp",
        avoid "rename the headers in a proxy";
    HeaderNotForwarded = "header.not-forwarded":
        "the receiver says that a header is missing, although both were sent",
        "let what stands before the receiver pass on X-Twenty-Webhook-Signature and X-Twenty-Webhook-Timestamp, and check which \
         names the receiver reads",
        avoid "accept deliveries without the headers";
    ClockOff = "clock.off":
        "the receiver's clock is off: it accepts deliveries that are dated by its own clock, and no others",
        "set the clock of the receiver's machine by NTP, and compare milliseconds since the epoch in UTC, not local time",
        avoid "widen the time window: deliveries could then be repeated for as long";
    ClockOneSided = "clock.one-sided":
        "a difference between the two clocks is allowed in one direction only",
        "compare abs(now - timestamp) with 5 minutes, and set the clock of the receiver's machine by NTP",
        avoid "drop the check in the other direction: a delivery dated ahead could be repeated for as long as it likes";
    AcceptsEverything = "accepts.everything":
        "every request is accepted, whatever its signature",
        "verify the signature before anything else, and answer 401 if it does not match",
        avoid "check only that the header is there";
    AcceptsUnsigned = "accepts.unsigned":
        "requests that lack the signature, the timestamp or both are accepted",
        "answer 401 if either header is missing or empty, even if no secret is configured",
        avoid "skip the check for addresses or in development mode: the switch is forgotten in production";
    AcceptsAlternative = "accepts.alternative":
        "a second way of signing is accepted in addition to the right one",
        "accept only one way of signing: HMAC-SHA256 over timestamp, colon and raw body",
        avoid "keep the second way for old senders: Twenty never used it";
    AcceptsReplayed = "accepts.replayed":
        "a signature that was made for one delivery is accepted for another",
        "compute the signature for each request from its own timestamp and body; never look it up in a cache",
        avoid "make the cache's life shorter: it is still looked up";
    AcceptsStale = "accepts.stale":
        "an old delivery is accepted as if it were new",
        "after verifying the signature, answer 401 if the timestamp is more than 5 minutes from now",
        avoid "check the age alone: an age that is not signed can be changed";
    AcceptsFuture = "accepts.future":
        "a delivery from the future is accepted",
        "check the timestamp in both directions: abs(now - timestamp) must be at most 5 minutes",
        avoid "reject only what is too old: a delivery dated ahead stays valid for as long as it likes";
    AcceptsMalformed = "accepts.malformed":
        "a signed request that is not a delivery is accepted",
        "after verifying the signature, answer 400 if the body is not a JSON object with an event's name; an unknown name is still answered 200",
        avoid "answer 400 to events that you do not know: Twenty sends every kind";
    AcceptsTimestampFormat = "accepts.timestamp-format":
        "a timestamp that is not only digits is accepted",
        "reject a timestamp that does not match ^[0-9]+$: it may become NaN, which `age > limit` never rejects",
        avoid "convert with parseInt or Number: they accept more than digits";
    AcceptsBackDoor = "accepts.back-door":
        "an unsigned request is accepted because of a header or body that anyone can send",
        "let only the signature decide: no trusted addresses, no secret in a header, no unsigned pings",
        avoid "allow the addresses of a proxy: the header that names them can be sent by anyone";
    LeaksSecret = "leaks.secret":
        "the answer to a forged delivery contains the secret",
        "answer a wrong signature with a fixed text, and never write the secret to an answer or a log",
        avoid "hide the answer's body in production only: tests and logs keep it";
    LeaksSignature = "leaks.signature":
        "the answer to a forged delivery contains the signature that would have been accepted",
        "answer a wrong signature with a fixed text, and never write the expected signature to an answer or a log",
        avoid "show a part of the expected signature for debugging";
    MessageReserialised = "message.reserialised":
        "the signature covers a re-serialised body instead of the bytes on the wire",
        "hash the raw request body, before any JSON parser, and decode it strictly afterwards; a proxy before the receiver may change the body too",
        sender "sign exactly the bytes that are sent: serialise once, then sign and send that text",
        avoid "print the JSON as the sender does: numbers, key order and escapes differ from one to the next",
        sender avoid "sort the members on both sides: numbers and escapes differ from one printer to the next";
    MessageTextEncoding = "message.text-encoding":
        "text beyond ASCII is not the same in what is hashed and in the body on the wire",
        "hash the raw bytes of the body, and turn text into bytes as UTF-8, never as ASCII or Latin-1",
        sender "encode the text as UTF-8 once, and sign and send those same bytes: no ASCII or Latin-1 on the way",
        avoid "remove or replace characters in the body",
        sender avoid "leave text beyond ASCII out of the payload";
    MessageBodyConsumed = "message.body-consumed":
        "the signature covers another text instead of the body, because the body was parsed or read before",
        "keep the raw bytes of the body before a parser reads the request, and hash those",
        sender "serialise the payload first, then sign and send that text: `${timestamp}:${body}` with body = JSON.stringify(payload)",
        avoid "stringify the parsed body: that gives other bytes",
        sender avoid "sign an empty text if there is no body: a delivery always has one";
    MessageBodyBase64 = "message.body-base64":
        "the signature covers the base64 text of the body",
        "decode the body before you hash it: `event.body` is base64 if `isBase64Encoded` is true",
        sender "sign the body as it is sent, not its base64 text",
        avoid "accept both: what is hashed is what arrived",
        sender avoid "send the body as base64 too: receivers expect JSON";
    MessageBytesLiteral = "message.bytes-literal":
        "the signed text has the body as Python prints bytes, b'…'",
        "join bytes, without formatting them as text: f\"{timestamp}:\".encode() + body",
        avoid "strip b and the quotes from the text: the escapes inside stay",
        sender avoid "cut b and the quotes off before signing: the escapes inside stay";
    MessageSecretMember = "message.secret-member":
        "a member named `secret` is removed from the body before it is hashed",
        "hash the raw request body unchanged, with every member in it",
        sender "sign the body exactly as it is sent, and leave the secret out of it",
        avoid "delete other members as well",
        sender avoid "add the member after signing: every byte of the body is signed";
    MessageMembersDropped = "message.members-dropped":
        "members of the body are missing from what is hashed",
        "hash the raw request body, before a parser drops members such as `__proto__`",
        sender "complete the payload first, null members and timestamp included; then serialise it once, and sign and send that text",
        avoid "leave the members out of the body too: receivers expect them";
    DigestTrailing = "digest.trailing":
        "characters before or after the 64 digits are ignored",
        "match the signature against ^[0-9a-f]{64}$ before decoding it",
        avoid "trim the header: what is around the digits must be refused";
    CrashSignatureLength = "crash.signature-length":
        "a signature of the wrong length crashes the comparison",
        "check the length first and answer 401; comparisons such as timingSafeEqual throw if the lengths differ",
        avoid "compare with == instead: it takes measurably longer the more digits match";
    CrashHeaderBytes = "crash.header-bytes":
        "a header with non-ASCII bytes crashes the receiver",
        "answer 401 to a signature that is not ASCII; compare bytes, and the lengths of bytes, not of strings",
        avoid "catch the error and accept";
    CrashMalformedJson = "crash.malformed-json":
        "a body that is not a delivery crashes the receiver",
        "answer 400 unless the body parses and is an object with an event name",
        avoid "answer 200 to everything that does not parse";
    CrashAbortedRequest = "crash.aborted-request":
        "a request that is cut off before its end stops the receiver",
        "handle the errors of the request's stream (`aborted`, ECONNRESET, an incomplete body), and answer nothing",
        avoid "restart the process after each end: the deliveries in it are lost";
    CrashEverything = "crash.everything":
        "the receiver crashes",
        "see the last lines of its output; catch the exceptions of a request, and log them",
        avoid "restart the process after each end: the deliveries in it are lost";
    RouteNotFound = "route.not-found":
        "nothing accepts deliveries at this path: everything is answered 404",
        "give the path of your webhook's route with --path, or as the path of --url",
        avoid "change how the signature is verified: no request has reached that code";
    RouteMethod = "route.method":
        "the path is known, but not with POST: everything is answered 405",
        "register your webhook's route for POST, and check its path",
        avoid "change how the signature is verified: no request has reached that code";
    RouteRedirect = "route.redirect":
        "everything is redirected to another address",
        "register the address that is redirected to: its scheme, host and final slash; Twenty does not follow redirects",
        avoid "change how the signature is verified: no request has reached that code";
    RouteLogin = "route.login":
        "a login is required before a delivery reaches the receiver",
        "exempt the webhook's path from the login: the signature is what authenticates a delivery",
        avoid "change how the signature is verified: no request has reached that code";
    RouteCsrf = "route.csrf":
        "a guard against cross-site requests (CSRF) rejects every delivery",
        "exempt the webhook's path from the guard: @csrf_exempt, validateCsrfTokens(except: …), \
         skip_forgery_protection",
        avoid "switch the guard off for the whole application";
    RouteRateLimit = "route.rate-limit":
        "a rate limit rejects deliveries",
        "lift the limit for the webhook's path, or for the test; Twenty sends 20 deliveries at a time, and no delivery again",
        avoid "answer 200 before the limit is looked at, and drop the delivery";
    RouteProxy = "route.proxy":
        "a gateway answers instead of the receiver",
        "check that the receiver runs, and that the gateway passes requests on to its address and port",
        avoid "change how the signature is verified: no request has reached that code";
    AnswerStatus = "answer.status":
        "the status of the answer is wrong for this request",
        "answer 401 to a wrong signature, 400 to a body that is not a delivery, 413 to one that is too large, 405 to \
         another method",
        avoid "answer 200 with an error in the body: only the status counts";
    RefusesDialect = "refuses.dialect":
        "the receiver reads the body of one dialect and rejects the other",
        "read the event's name from `eventName` or else `event`, which may be an object next to it, and the record from `record` or `data`",
        avoid "answer 200 without reading it: the events would be lost";
    RefusesLarge = "refuses.large":
        "a large body is rejected",
        "raise the body limit of the framework and of the proxy to 1 MiB or more",
        avoid "switch the limit off: without one a single request can fill the memory";
    RefusesChunked = "refuses.chunked":
        "a chunked body, or one that arrives in several segments, is rejected",
        "read the body to its end before hashing it, and do not require Content-Length",
        avoid "answer 411: senders that stream the body have no Content-Length";
    RefusesSplitCharacter = "refuses.split-character":
        "a body that is split inside a multi-byte character is rejected",
        "collect the body as bytes, and decode it only when it is complete",
        avoid "read larger pieces: the split moves, and stays";
    RefusesSpelling = "refuses.spelling":
        "a body with other JSON formatting is rejected",
        "hash the raw request body, before any JSON parser, and use a parser that accepts any valid JSON",
        avoid "normalise the body before hashing";
    RefusesEverything = "refuses.everything":
        "no way of signing that was tried is accepted",
        "give your receiver the secret that the suite uses, in one line without quotes or a comment; check the path, the method, and \
         that what stands before it passes on both headers; if all that is right, two things of the signature differ at once",
        avoid "switch the verification off to see a 2xx";
    RefusesUnknownEvent = "refuses.unknown-event":
        "unknown events, objects or members are rejected",
        "answer 200 to events that you do not use: Twenty sends every kind of event to every webhook",
        avoid "list the events that exist today: later versions have more";
    RefusesHeaderCase = "refuses.header-case":
        "headers are not found if the case of their names differs",
        "ignore the case of header names (RFC 9110, section 5.1)",
        avoid "look for two spellings: HTTP/2 and proxies use others";
    RefusesConcurrent = "refuses.concurrent":
        "concurrent deliveries are not all accepted",
        "answer first and do the work afterwards, queue deliveries instead of rejecting them, and let 64 connections wait to be accepted \
         (the backlog of listen)",
        avoid "answer 503 and rely on retries: Twenty does not send again";
    AnswerLate = "answer.late":
        "the answer comes too late",
        "answer first, and do the work afterwards",
        avoid "raise the timeout: Twenty's own is 5 s";
    AnswerNone = "answer.none":
        "the request is not answered: the connection or the process ends",
        "answer every request that is rejected with a 4xx status, do not let an exception end the process, and read a body \
         that is too large to its end before you close the connection: otherwise the answer is lost",
        avoid "restart the process after each end: the deliveries in it are lost";
    DedupeNone = "dedupe.none":
        "a repeated delivery is processed each time",
        "remember a hash of each processed body, and answer 200 to a known one without processing it again",
        avoid "remember the signature or the nonce: a retry has new ones";
    DedupeTooCoarse = "dedupe.too-coarse":
        "different events are mistaken for the same one",
        "recognise repeats by a hash of the whole body, not by the record's id or anything else that events share",
        avoid "switch the recognition of repeats off";
    DedupeNonce = "dedupe.nonce":
        "a repeated delivery is mistaken for a new one if it is signed again",
        "recognise repeats by a hash of the body: a retry has a new timestamp, signature and nonce",
        avoid "remember the nonce for longer: a retry has a new one";
    DedupeBeforeSuccess = "dedupe.before-success":
        "a delivery is remembered before it is verified, so a forged copy blocks the valid delivery",
        "remember a delivery only after it was verified and processed",
        avoid "forget everything after a failure: repeats of what was processed come too";
    MisreadsDialect = "misreads.dialect":
        "the body of the other dialect is accepted, but its event is not processed",
        "read the event's name from `eventName` or else `event`, which may be an object next to it, and the record from `record` or `data`",
        avoid "guess the event from other members";
    SendOncePerWebhook = "send.once-per-webhook":
        "an event does not reach each webhook exactly once",
        "deliver each event once to each webhook that is registered for it",
        avoid "leave it to receivers to sort out repeats";
    SendAfterDelete = "send.after-delete":
        "a deleted webhook still receives events",
        "look up the registered webhooks for each event, not once at the start",
        avoid "wait for the next restart";
    SendFilter = "send.filter":
        "a webhook's filter is not applied correctly",
        "match each event's name against the webhook's operations: exact names, object.*, *.action and *.*",
        avoid "send everything and let the receiver choose";
    SendAckStatus = "send.ack-status":
        "the sender misreads an answer, or the lack of one",
        "treat only a complete header with a final status from 200 to 299 as an acknowledgement; read on after a 1xx",
        avoid "read the answer's body: only the status counts";
    SendBlocked = "send.blocked":
        "a delivery is delayed by another one that hangs or fails",
        "give each delivery its own task and one timeout until the end of its answer, and continue with the next one after a failure",
        avoid "raise the number of workers: as many endpoints that hang block them all";
    SendUnboundedRetry = "send.unbounded-retry":
        "a delivery is retried without end, or without a pause",
        "stop after a few retries, with a growing pause before each",
        avoid "retry at once: an endpoint that is down stays down for longer";
    SendRedirect = "send.redirect":
        "a redirect is followed, or counts as an acknowledgement",
        "do not follow redirects; treat a 3xx as a failed delivery",
        avoid "follow redirects to the same host only: the POST becomes a GET there too";
    SendBatch = "send.batch":
        "one request carries several events",
        "send one request for each event",
        avoid "send an array: receivers expect one object";
    SendSecretLeak = "send.secret-leak":
        "the request contains the secret",
        "send only the signature; the secret never leaves the sender and the receiver",
        avoid "send the secret over HTTPS only: the receiver's logs have it then";
    SendMethod = "send.method":
        "the request method is not POST",
        "send deliveries with POST",
        avoid "send the event in the query of a GET";
    SendUrl = "send.url":
        "the request does not go to the registered URL",
        "keep host, port, path and query of the registered URL unchanged",
        avoid "normalise the URL: its query and its final slash matter";
    SendBodyForm = "send.body-form":
        "the body is not one JSON text in UTF-8 without a byte-order mark, declared as application/json",
        "send only the JSON text, in UTF-8, with Content-Type: application/json",
        avoid "rename the content type and leave the body as it is";
    SendContentCoding = "send.content-coding":
        "the body has a content coding such as gzip",
        "send the JSON text itself, without compression and without Content-Encoding",
        avoid "sign the compressed bytes: many receivers cannot decompress a request, or hash it after that";
    SendFraming = "send.framing":
        "what is sent is not a complete HTTP request",
        "use an HTTP library, or follow RFC 9112: request line, headers, an empty line, and a body of the declared length",
        avoid "count the body's characters: Content-Length is in bytes";
    SendNonce = "send.nonce":
        "the nonce is missing, malformed or used twice",
        "send 16 random bytes as 32 lowercase hexadecimal digits, new for each request",
        avoid "use the time or a counter: they repeat after a restart";
    SendLate = "send.late":
        "a delivery starts after the deadline",
        "start the delivery when the event occurs, not in a later batch job",
        avoid "date the delivery back";
    SendLost = "send.lost":
        "an event was never delivered",
        "deliver every kind of event to every webhook without a filter",
        avoid "send only the events that are documented by name";
    SendStaleConnection = "send.stale-connection":
        "a delivery was lost on a kept connection that the endpoint had closed",
        "where a reused connection fails before an answer, send the delivery again on a new connection",
        avoid "open a new connection for every delivery: each costs another TCP and TLS handshake";
    SendSettling = "send.settling":
        "a registration or a deletion is in force only after a while",
        "answer a registration or a deletion when it is in force: drop cached lists of webhooks before the answer",
        avoid "ask for more time with `settle_ms`: users do not know that they have to wait";
    SendCrash = "send.crash":
        "the sender ended during the run",
        "see what the sender wrote last; handle errors, such as failed deliveries, without ending the process",
        avoid "restart the sender after each end: what it had in memory is lost";
    PayloadMember = "payload.member":
        "a member of the payload is missing, has the wrong name, or should not be there",
        "send the members of the chosen dialect, and every member of the record, under their own names",
        avoid "send members under two names";
    PayloadType = "payload.type":
        "a member of the payload has the wrong JSON type",
        "send each member with the JSON type that it has in the record",
        avoid "turn everything into text";
    PayloadValue = "payload.value":
        "a value of the record was changed",
        "serialise the record as UTF-8 JSON without converting its values: long numbers must not become floats",
        avoid "round numbers before sending: the receiver cannot tell what was lost";
    PayloadTime = "payload.time":
        "the payload's timestamp is not the time of the event in UTC",
        "write the time of the event as an RFC 3339 date-time in UTC, such as 2025-02-10T15:30:50Z",
        avoid "use local time with an offset: the documentation says UTC";
    PayloadDialect = "payload.dialect":
        "the payload has the form of the other dialect",
        "choose the dialect that the sender uses: --dialect documented or --dialect shipped",
        avoid "send the members of both dialects";
    CaptureLineEnds = "capture.line-ends":
        "the line ends in the captured body are not those that were signed",
        "capture the raw bytes again, or convert the line ends back: an editor, Git or a shell has changed them",
        avoid "convert line ends in the receiver before hashing: other bodies are then rejected";
    CaptureNewline = "capture.newline":
        "the captured body has white space at its ends that was not signed, or lacks what was signed",
        "save the body without a line break at its end: `printf %s` instead of `echo`, `curl --data-binary @FILE`, no final newline in the editor",
        avoid "trim the body in the receiver before hashing: white space at its ends is signed too";
    CapturePretty = "capture.pretty":
        "the captured body is formatted for people, and other white space was signed",
        "capture the raw bytes: the tool's raw or source view, not its formatted one, and no `jq` or formatter in between",
        avoid "parse and print the body in the receiver before hashing: numbers and escapes then differ";
    CaptureCut = "capture.cut":
        "the captured body is not complete",
        "capture the whole body: raise the tool's limit, and copy to the last brace",
        avoid "close the JSON text by hand: every byte is signed";
    CaptureDecoded = "capture.decoded":
        "the captured body was encoded or decoded by a tool: it is not the bytes on the wire",
        "decode it once more, or capture the raw bytes: the body of a delivery begins with a brace",
        avoid "hash the encoded text in the receiver: what is signed is the body as it is sent";
    CaptureBodyMissing = "capture.body-missing":
        "the body is missing in the capture",
        "record bodies too: let the tool keep request bodies, and log the raw bytes before a parser reads them",
        avoid "write a body by hand: every byte is signed";
    CaptureCopiedWrong = "capture.copied-wrong":
        "a part of the captured request was copied wrong",
        "copy it again, from the raw request: each digit of both headers, and the body without anything around it",
        avoid "accept a signature that is nearly right: one digit is enough to forge";
    CaptureTextEncoding = "capture.text-encoding":
        "the captured body is in another encoding than what was signed, or characters were replaced",
        "save the raw bytes as UTF-8 without a byte-order mark: not through a console, a word processor or Excel",
        avoid "convert the body in the receiver before hashing";
}

/// A cause that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub code: Code,
    /// Which one of its kind: the separator, the encoding, the statuses.
    pub detail: Option<String>,
    /// The code of the other way of signing, if the cause is `accepts.alternative`.
    pub inner: Option<Code>,
    /// Other causes that explain the same findings.
    pub or: Vec<String>,
    /// The exchanges that show it, if they are not those of the failure.
    pub shown_by: Vec<ExchangeId>,
    /// The fix of this one of its kind, if that of the code does not help.
    pub own_fix: Option<&'static str>,
}

impl Cause {
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, inner: None, or: Vec::new(), shown_by: Vec::new(), own_fix: None }
    }

    pub fn detailed(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }

    /// The code whose fix helps. Some faults that accept another way of signing have a more concrete fix of their own.
    pub fn to_fix(&self) -> Code {
        use Code::{DigestTrailing, DigestTruncated, MessagePart, MessageReserialised, MessageSecretMember};
        let have_own_fix =
            [DigestTrailing, DigestTruncated, MessagePart, MessageReserialised, MessageSecretMember];
        self.inner.filter(|inner| have_own_fix.contains(inner)).unwrap_or(self.code)
    }

    /// The fix in one line, for the author of a program of this role.
    pub fn fix(&self, role: Role) -> &'static str {
        self.own_fix.unwrap_or_else(|| self.to_fix().fix(role))
    }

    /// Gives it a fix of its own.
    #[must_use]
    pub fn fixed_by(self, fix: &'static str) -> Self {
        Self { own_fix: Some(fix), ..self }
    }

    #[must_use]
    pub fn shown_by(mut self, exchanges: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.shown_by.extend(exchanges);
        self
    }

    /// Adds another cause that explains the same findings, unless it is the same cause.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        let name = other.to_string();
        if name != self.to_string() && !self.or.contains(&name) {
            self.or.push(name);
        }
        self.shown_by.extend(other.shown_by);
        self
    }

    /// The cause for a wrong way of signing; `None` for the contract's own.
    ///
    /// A wrong message comes before a wrong key, and a wrong key before a wrong digest. If several are wrong, the detail
    /// names all of them.
    pub fn of_recipe(recipe: &Recipe) -> Option<Self> {
        let (code, detail) =
            of_message(recipe.message).or_else(|| of_key(recipe.key)).or_else(|| of_digest(recipe.digest))?;
        let detail = if recipe.distance() > 1 { Some(recipe.describe()) } else { detail.map(str::to_owned) };
        Some(Self { detail, ..Self::new(code) })
    }
}

fn of_message(message: Message) -> Option<(Code, Option<&'static str>)> {
    Some(match message {
        Message::Contract => return None,
        Message::BodyAlone => (Code::MessageBodyAlone, None),
        Message::TimestampAlone => (Code::MessagePart, Some("timestamp alone")),
        Message::Separator(separator) => (
            Code::MessageSeparator,
            Some(match separator {
                "" => "none",
                "\n" => "newline",
                other => other,
            }),
        ),
        Message::DoubleStringified { ascii } => {
            (Code::MessageDoubleStringified, ascii.then_some("in ASCII, as Python's json.dumps writes it"))
        }
        Message::Seconds => (Code::MessageTimestampUnit, Some("seconds")),
        Message::Part => (Code::MessagePart, Some("record alone")),
        Message::TrailingNewline => (Code::MessagePrefixOrNewline, Some("newline after the body")),
        Message::Reserialised(serialiser) => (Code::MessageReserialised, Some(serialiser.name())),
        Message::SecretMember => (Code::MessageSecretMember, None),
        Message::Misread(misread) | Message::MisreadAlone(misread) => of_misread(misread),
    })
}

fn of_misread(misread: Misread) -> (Code, Option<&'static str>) {
    let (code, detail) = match misread {
        Misread::Ascii | Misread::AsciiCharacters => (Code::MessageTextEncoding, "ascii"),
        Misread::AsciiDropped => (Code::MessageTextEncoding, "dropped"),
        Misread::Latin1 | Misread::DecodedAsLatin1 => (Code::MessageTextEncoding, "latin-1"),
        Misread::Replaced => (Code::MessageTextEncoding, "replacement"),
        Misread::Escaped | Misread::EscapedControls => (Code::MessageReserialised, "escaped"),
        Misread::Empty => (Code::MessageBodyConsumed, "empty"),
        Misread::Promise => (Code::MessageBodyConsumed, "[object Promise]"),
        Misread::Stream => (Code::MessageBodyConsumed, "stream"),
        Misread::ArrayBuffer => (Code::MessageBodyConsumed, "[object ArrayBuffer]"),
        Misread::None => (Code::MessageBodyConsumed, "None"),
        Misread::Array => (Code::MessageBodyConsumed, "Array"),
        Misread::BufferJson => (Code::MessageBodyConsumed, "the JSON of a buffer"),
        Misread::CommaNumbers | Misread::BlankNumbers => {
            (Code::MessageBodyConsumed, "the numbers of its bytes")
        }
        Misread::Dictionary => (Code::MessageBodyConsumed, "the parsed body as Python prints it"),
        Misread::ObjectObject => (Code::MessageBodyConsumed, "[object Object]"),
        Misread::Undefined => (Code::MessageBodyConsumed, "undefined"),
        Misread::Null => (Code::MessageBodyConsumed, "null"),
        Misread::EmptyObject => (Code::MessageBodyConsumed, "{}"),
        Misread::Base64 => return (Code::MessageBodyBase64, None),
        Misread::BytesLiteral => return (Code::MessageBytesLiteral, None),
    };
    (code, Some(detail))
}

fn of_key(key: KeyForm) -> Option<(Code, Option<&'static str>)> {
    Some(match key {
        KeyForm::Utf8 => return None,
        KeyForm::HexDecoded => (Code::KeyHexDecoded, None),
        KeyForm::Base64Decoded => (Code::KeyBase64Decoded, None),
        KeyForm::Trimmed => (Code::KeyTrimmed, Some("white space")),
        KeyForm::Uppercase => (Code::KeyTrimmed, Some("upper case")),
        KeyForm::Lowercase => (Code::KeyTrimmed, Some("lower case")),
        KeyForm::TrailingNewline => (Code::KeyPrefix, Some("a trailing newline")),
        KeyForm::Empty => (Code::KeyEmpty, None),
        KeyForm::Other => (Code::KeyOtherWebhook, Some("an unknown secret")),
        KeyForm::DoubleQuoted => (Code::KeyConfiguration, Some("double quotes")),
        KeyForm::SingleQuoted => (Code::KeyConfiguration, Some("single quotes")),
        KeyForm::CarriageReturn => (Code::KeyConfiguration, Some("carriage return")),
        KeyForm::CarriageReturnLineFeed => (Code::KeyConfiguration, Some("carriage return and line feed")),
        KeyForm::BlankBefore => (Code::KeyConfiguration, Some("a blank before it")),
        KeyForm::BlankAfter => (Code::KeyConfiguration, Some("a blank after it")),
        KeyForm::Named => (Code::KeyConfiguration, Some("the variable's name before it")),
        KeyForm::Commented => (Code::KeyConfiguration, Some("a comment after it")),
        KeyForm::ByteOrderMark => (Code::KeyConfiguration, Some("a byte-order mark before it")),
        KeyForm::CutAtDollar => (Code::KeyConfiguration, Some("cut at `$`")),
        KeyForm::CutAtHash => (Code::KeyConfiguration, Some("cut at `#`")),
    })
}

fn of_digest(digest: Digest) -> Option<(Code, Option<&'static str>)> {
    Some(match digest {
        Digest::Hex => return None,
        Digest::Uppercase => (Code::DigestEncoding, Some("upper")),
        Digest::Base64 => (Code::DigestEncoding, Some("base64")),
        Digest::Base64Url => (Code::DigestEncoding, Some("base64url")),
        Digest::Prefixed => (Code::DigestPrefix, Some("sha256=")),
        Digest::Truncated => (Code::DigestTruncated, None),
        Digest::Sha1 => (Code::DigestAlgorithm, Some("sha1")),
        Digest::Sha512 => (Code::DigestAlgorithm, Some("sha512")),
        Digest::Unkeyed => (Code::DigestAlgorithm, Some("unkeyed")),
        Digest::Appended => (Code::DigestAppended, Some("after the text")),
        Digest::AppendedUnwritten => (Code::DigestAppended, Some("after the text, of nothing")),
        Digest::Zeros => (Code::DigestAlgorithm, Some("zeros")),
    })
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}
