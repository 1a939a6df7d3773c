//! Lines of code that fix how a receiver is reached, what it answers and what it processes, by cause and by what the receiver
//! is written with. In them, `/webhooks/twenty` is the path of the webhook.

use super::Row;
use super::Stack::{
    Django, Express, FastApi, Fastify, Flask, Go, Java, JavaScript, Next, Node, Php, Python, Rails, Ruby,
    Spring, TwentyApp,
};
use crate::suite::cause::Code;

/// Strict decoding of the body, for a receiver that accepts what is not UTF-8.
pub(super) const STRICT: &[(super::Stack, &str)] = &[
    (
        JavaScript,
        r#"const text = new TextDecoder("utf-8", { fatal: true }).decode(rawBody);  // throws: 400"#,
    ),
    (Python, "text = body.decode()  # a UnicodeDecodeError: answer 400"),
    (Go, r#"if !utf8.Valid(body) { http.Error(w, "not UTF-8", 400); return }"#),
    (Php, r#"if (!mb_check_encoding($body, "UTF-8")) { http_response_code(400); exit; }"#),
    (Rails, r#"return head(:bad_request) unless body.dup.force_encoding("UTF-8").valid_encoding?"#),
    (Java, "StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body))  // throws: 400"),
];

/// Rejections, limits, what stands before the receiver, and what it processes.
pub(super) const LINES: &[Row] = &[
    (
        &[Code::AcceptsUnsigned, Code::AcceptsBackDoor],
        &[
            (Express, "if (!signature || !timestamp) return res.sendStatus(401);"),
            (Next, "if (!signature || !timestamp) return new Response(null, { status: 401 });"),
            (Fastify, "if (!signature || !timestamp) return reply.code(401).send();"),
            (Node, "if (!signature || !timestamp) return res.writeHead(401).end();"),
            (FastApi, "if not signature or not timestamp: raise HTTPException(401)"),
            (Flask, "if not signature or not timestamp: abort(401)"),
            (Django, "if not signature or not timestamp: return HttpResponse(status=401)"),
            (Go, r#"if signature == "" || timestamp == "" { http.Error(w, "unsigned", 401); return }"#),
            (Php, r#"if ($signature === "" || $timestamp === "") { http_response_code(401); exit; }"#),
            (Rails, "return head(:unauthorized) if signature.blank? || timestamp.blank?"),
            (TwentyApp, r#"if (!signature || !timestamp) return new Response("unsigned", { status: 401 });"#),
            (
                Spring,
                "if (signature == null || timestamp == null) return ResponseEntity.status(401).build();",
            ),
        ],
    ),
    (
        &[Code::AcceptsEverything],
        &[
            (Express, "if (!isValid(req)) return res.sendStatus(401);  // before anything else"),
            (Next, "if (!isValid(request)) return new Response(null, { status: 401 });"),
            (Fastify, "if (!isValid(request)) return reply.code(401).send();  // before anything else"),
            (Node, "if (!isValid(req)) return res.writeHead(401).end();  // before anything else"),
            (FastApi, "if not is_valid(request, body): raise HTTPException(401)  # before anything else"),
            (Flask, "if not is_valid(request): abort(401)  # before anything else"),
            (Django, "if not is_valid(request): return HttpResponse(status=401)  # before anything else"),
            (Go, r#"if !valid(r, body) { http.Error(w, "invalid signature", 401); return }"#),
            (Php, "if (!hash_equals($expected, $signature)) { http_response_code(401); exit; }"),
            (Rails, "return head(:unauthorized) unless valid?(request)  # before anything else"),
            (
                TwentyApp,
                r#"if (!isValid(event)) return new Response({ error: "invalid" }, { status: 401 });"#,
            ),
            (Spring, "if (!isValid(headers, body)) return ResponseEntity.status(401).build();"),
        ],
    ),
    (
        &[Code::LeaksSecret, Code::LeaksSignature],
        &[
            (Express, r#"res.status(401).send("invalid signature")  // a fixed text"#),
            (Next, r#"new Response("invalid signature", { status: 401 })  // a fixed text"#),
            (Fastify, r#"reply.code(401).send("invalid signature")  // a fixed text"#),
            (Node, r#"res.writeHead(401).end("invalid signature")  // a fixed text"#),
            (FastApi, r#"raise HTTPException(401, "invalid signature")  # a fixed text"#),
            (Flask, r#"return "invalid signature", 401  # a fixed text"#),
            (Django, r#"return HttpResponse("invalid signature", status=401)  # a fixed text"#),
            (Go, r#"http.Error(w, "invalid signature", 401) // a fixed text"#),
            (Php, r#"http_response_code(401); exit("invalid signature");  // a fixed text"#),
            (Rails, r#"render plain: "invalid signature", status: :unauthorized  # a fixed text"#),
            (TwentyApp, r#"new Response("invalid signature", { status: 401 })  // a fixed text"#),
            (Spring, r#"ResponseEntity.status(401).body("invalid signature")  // a fixed text"#),
        ],
    ),
    (
        &[Code::AcceptsMalformed],
        &[
            (Express, r#"if (typeof name !== "string") return res.sendStatus(400);  // the event's name"#),
            (Next, r#"if (typeof name !== "string") return new Response(null, { status: 400 });"#),
            (Fastify, r#"if (typeof name !== "string") return reply.code(400).send();  // the event's name"#),
            (Node, r#"if (typeof name !== "string") return res.writeHead(400).end();"#),
            (FastApi, "if not isinstance(name, str): raise HTTPException(400)  # the event's name"),
            (Flask, "if not isinstance(name, str): abort(400)  # the event's name"),
            (Django, "if not isinstance(name, str): return HttpResponse(status=400)"),
            (Go, r#"if event.Name == "" { http.Error(w, "no event", 400); return }"#),
            (Php, "if (!is_string($name)) { http_response_code(400); exit; }  // the event's name"),
            (Rails, "return head(:bad_request) unless name.is_a?(String)  # the event's name"),
            (TwentyApp, r#"if (typeof name !== "string") return new Response("no event", { status: 400 });"#),
            (Spring, r#"if (!json.path("event").isTextual()) return ResponseEntity.badRequest().build();"#),
        ],
    ),
    (
        &[Code::CrashMalformedJson],
        &[
            (Express, "try { name = JSON.parse(rawBody)?.event; } catch { return res.sendStatus(400); }"),
            (Next, "catch { return new Response(null, { status: 400 }); }  // of JSON.parse(rawBody)?.event"),
            (Fastify, "try { name = JSON.parse(raw)?.event; } catch { return reply.code(400).send(); }"),
            (Node, "try { name = JSON.parse(rawBody)?.event; } catch { return res.writeHead(400).end(); }"),
            (FastApi, "except (ValueError, AttributeError): raise HTTPException(400)  # of json.loads(body)"),
            (Flask, "except (ValueError, AttributeError): abort(400)  # of json.loads(body).get(...)"),
            (Django, "except (ValueError, AttributeError): return HttpResponse(status=400)  # of json.loads"),
            (Go, r#"if json.Unmarshal(body, &event) != nil { http.Error(w, "not JSON", 400); return }"#),
            (Php, "if (!is_array(json_decode($body, true))) { http_response_code(400); exit; }"),
            (Rails, "return head(:bad_request) unless json.is_a?(Hash)  # after rescue JSON::ParserError"),
            (
                TwentyApp,
                r#"catch { return new Response("no JSON", { status: 400 }); }  // of JSON.parse(rawBody)"#,
            ),
            (Spring, "catch (JacksonException e) { return ResponseEntity.badRequest().build(); }"),
        ],
    ),
    (
        &[Code::RefusesLarge],
        &[
            (Express, r#"express.raw({ type: "*/*", limit: "2mb" })  // without a limit: 100 kB"#),
            (Next, r#"export const config = { api: { bodyParser: { sizeLimit: "2mb" } } };  // in pages/"#),
            (Fastify, "Fastify({ bodyLimit: 2 * 1024 * 1024 })"),
            (Flask, r#"app.config["MAX_CONTENT_LENGTH"] = 2 * 1024 * 1024"#),
            (Django, "DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # settings.py"),
            (Go, "r.Body = http.MaxBytesReader(w, r.Body, 2<<20)"),
            (Php, "post_max_size = 8M  ; php.ini"),
            (Spring, "spring.codec.max-in-memory-size=2MB  # application.properties, for WebFlux"),
        ],
    ),
    (
        &[Code::RefusesChunked],
        &[
            (Django, "uvicorn project.asgi:application  # under WSGI, Django reads no chunked body"),
            (Node, r#"const rawBody = await buffer(req);  // import { buffer } from "stream/consumers""#),
            (Go, "body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))"),
        ],
    ),
    (
        &[Code::AnswerLate, Code::RefusesConcurrent],
        &[
            (Express, "res.sendStatus(200); queue.push(event);  // the work comes after the answer"),
            (
                Next,
                r#"after(() => work(event)); return new Response();  // import { after } from "next/server""#,
            ),
            (Fastify, "reply.send(); queue.push(event);  // the work comes after the answer"),
            (
                FastApi,
                "background_tasks.add_task(work, event)  # parameter background_tasks: BackgroundTasks",
            ),
            (Flask, r#"executor.submit(work, event); return "", 200  # a ThreadPoolExecutor"#),
            (Django, "executor.submit(work, event); return HttpResponse()  # a ThreadPoolExecutor"),
            (Go, "go work(event) // and then w.WriteHeader(200), without waiting"),
            (Rails, "WorkJob.perform_later(event); head :ok"),
            (
                TwentyApp,
                "serverRouteTriggerSettings: { ... }  // the function that its resolver names is queued",
            ),
            (Spring, "executor.submit(() -> work(event)); return ResponseEntity.ok().build();"),
        ],
    ),
    (
        &[Code::AnswerNone, Code::CrashAbortedRequest],
        &[
            (Express, r#"app.post("/", (req, res, next) => handle(req, res).catch(next));"#),
            (Node, "handle(req, res).catch(() => res.writeHead(400).end());  // or Node ends"),
        ],
    ),
    (
        &[Code::RouteNotFound, Code::RouteMethod],
        &[
            (Express, r#"app.post("/webhooks/twenty", handler)  // and --path /webhooks/twenty"#),
            (Next, "export async function POST(request) { }  // in app/webhooks/twenty/route.js"),
            (Fastify, r#"app.post("/webhooks/twenty", handler)  // and --path /webhooks/twenty"#),
            (FastApi, r#"@app.post("/webhooks/twenty")  # and --path /webhooks/twenty"#),
            (Flask, r#"@app.post("/webhooks/twenty")  # and --path /webhooks/twenty"#),
            (Django, r#"path("webhooks/twenty", views.receive)  # urls.py; and --path /webhooks/twenty"#),
            (Go, r#"http.HandleFunc("/webhooks/twenty", receive) // and --path /webhooks/twenty"#),
            (Php, "php -S 127.0.0.1:8000 receiver.php  # one script for every path; Laravel: Route::post"),
            (Rails, r#"post "/webhooks/twenty", to: "webhooks#receive"  # config/routes.rb"#),
            (TwentyApp, r#"path: "/webhooks/twenty", httpMethod: "POST",  // and --path /s/webhooks/twenty"#),
            (Spring, r#"@PostMapping("/webhooks/twenty")  // and --path /webhooks/twenty"#),
        ],
    ),
    (
        &[Code::RouteLogin],
        &[
            (Express, r#"app.post("/webhooks/twenty", handler);  // above app.use(requireLogin)"#),
            (Next, r#"export const config = { matcher: "/((?!webhooks/).*)" };  // middleware.js"#),
            (Django, "@login_not_required  # from django.contrib.auth.decorators, on the webhook's view"),
            (Rails, "skip_before_action :authenticate_user!  # in the webhook's controller only"),
            (
                TwentyApp,
                "isAuthRequired: false,  // in httpRouteTriggerSettings: the signature authenticates",
            ),
            (Spring, r#"auth.requestMatchers("/webhooks/**").permitAll()  // in authorizeHttpRequests"#),
        ],
    ),
    (
        &[Code::RouteCsrf],
        &[
            (Express, r#"app.post("/webhooks/twenty", handler);  // above app.use(csrfProtection)"#),
            (Flask, "@csrf.exempt  # csrf = CSRFProtect(app), on the webhook's view"),
            (Django, "@csrf_exempt  # from django.views.decorators.csrf, on the webhook's view"),
            (Php, r#"$middleware->validateCsrfTokens(except: ["webhooks/*"]);  // bootstrap/app.php"#),
            (Rails, "skip_forgery_protection  # in the webhook's controller only"),
            (Spring, r#"http.csrf(csrf -> csrf.ignoringRequestMatchers("/webhooks/**"))"#),
        ],
    ),
    (
        &[Code::RouteRateLimit],
        &[
            (Express, r#"rateLimit({ skip: (req) => req.path === "/webhooks/twenty" })"#),
            (Fastify, r#"app.post("/webhooks/twenty", { config: { rateLimit: false } }, handler)"#),
            (Python, "@limiter.exempt  # on the webhook's view"),
        ],
    ),
    (
        &[Code::RefusesDialect, Code::MisreadsDialect],
        &[
            (JavaScript, "const name = json.eventName ?? json.event, record = json.record ?? json.data;"),
            (Python, r#"name = json.get("eventName", json.get("event"))  # record or data"#),
            (Go, r#"if event.EventName == "" { event.EventName, event.Record = event.Event, event.Data }"#),
            (
                Php,
                r#"$name = $json["eventName"] ?? $json["event"]; $record = $json["record"] ?? $json["data"];"#,
            ),
            (Ruby, r#"name, record = json["eventName"] || json["event"], json["record"] || json["data"]"#),
            (Spring, r#"String name = json.path(json.has("eventName") ? "eventName" : "event").asText();"#),
        ],
    ),
    (
        &[Code::DedupeNone, Code::DedupeTooCoarse, Code::DedupeNonce],
        &[
            (JavaScript, r#"const known = createHash("sha256").update(rawBody).digest("hex");"#),
            (Python, "known = hashlib.sha256(body).hexdigest()"),
            (Go, "known := sha256.Sum256(body)"),
            (Php, r#"$known = hash("sha256", $body);"#),
            (Rails, "known = Digest::SHA256.hexdigest(request.raw_post)"),
            (Java, r#"byte[] known = MessageDigest.getInstance("SHA-256").digest(body);"#),
        ],
    ),
];
