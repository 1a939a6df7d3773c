//! The signs of what a receiver is written with, in its answers and in the command that started it.

use std::collections::BTreeSet;

use super::Stack::{
    self, Django, Express, FastApi, Fastify, Flask, Go, Java, Next, Node, Php, Python, Rails, Ruby, Spring,
    TwentyApp,
};
use crate::wire::exchange::Response;

/// How much of a body is searched for the marks of a framework.
const SEARCHED: usize = 4096;

/// What answers, the command and the path of the receiver tell. `None` if they tell nothing, or do not agree.
pub(super) fn told_by<'a>(
    answers: impl Iterator<Item = &'a Response>,
    command: &str,
    path: &str,
) -> Option<Stack> {
    let mut signs = Signs::of_command(command);
    signs.add_path(path);
    answers.for_each(|answer| signs.add(answer));
    if signs.sure.is_empty() { single(&signs.likely) } else { single(&signs.sure) }
}

/// What is left if languages are dropped whose framework is known; `None` if that is not one alone.
fn single(found: &BTreeSet<Stack>) -> Option<Stack> {
    let mut specific = found.iter().filter(|one| !found.iter().any(|other| other.is_kind_of(**one)));
    let first = specific.next()?;
    specific.next().is_none().then_some(*first)
}

/// The signs of what a receiver is written with.
#[derive(Debug, Default)]
struct Signs {
    /// Told by something that no other framework has.
    sure: BTreeSet<Stack>,
    /// Told by a server or an interpreter that is mostly used with it.
    likely: BTreeSet<Stack>,
}

impl Signs {
    /// The signs of a command. A URL has none.
    fn of_command(command: &str) -> Self {
        let separates = |one: char| one.is_whitespace() || "'\"`;&|()".contains(one);
        let words: Vec<&str> = command
            .split(separates)
            .filter(|word| !word.is_empty() && !word.contains("://") && !word.contains('='))
            .map(base_name)
            .collect();
        let has = |name: &str| words.contains(&name);
        let any = |names: &[&str]| names.iter().any(|name| has(name));
        let mut signs = Self::default();
        for (is_there, stack) in [
            (has("next") && any(&["dev", "start"]), Next),
            (has("flask") && has("run"), Flask),
            (has("fastapi") && any(&["dev", "run"]), FastApi),
            (any(&["manage.py", "django-admin"]) && has("runserver"), Django),
            (has("go") && has("run"), Go),
            (has("php") && has("-S") || has("artisan") && has("serve"), Php),
            (has("symfony") && any(&["serve", "server:start"]), Php),
            (has("rails") && any(&["s", "server"]), Rails),
            (any(&["spring-boot:run", "bootRun"]), Spring),
        ] {
            signs.sure.extend(is_there.then_some(stack));
        }
        let ends = |end: &str| words.iter().any(|word| word.ends_with(end));
        let is_django = ends("asgi:application") || ends("wsgi:application") || ends(".wsgi");
        let is_asgi = any(&["uvicorn", "hypercorn"]) || ends("UvicornWorker");
        let runs_python = words.iter().any(|word| word.starts_with("python") || word.starts_with("pypy"));
        for (is_there, stack) in [
            (is_django, Django),
            (is_asgi && !is_django, FastApi),
            (runs_python || any(&["gunicorn", "waitress-serve", "uwsgi", "daphne"]), Python),
            (any(&["node", "nodemon", "tsx", "ts-node", "bun", "deno", "npm", "npx", "pnpm", "yarn"]), Node),
            (any(&["ruby", "puma", "rackup", "unicorn"]), Ruby),
            (has("java"), Java),
            (has("php"), Php),
        ] {
            signs.likely.extend(is_there.then_some(stack));
        }
        signs
    }

    /// Adds the sign of a path: where Twenty's server has the routes of applications.
    fn add_path(&mut self, path: &str) {
        let id = path.strip_prefix("/webhooks/server/").unwrap_or_default();
        let is_id = id.len() == 36 && id.bytes().all(|one| one.is_ascii_hexdigit() || one == b'-');
        self.sure.extend(is_id.then_some(TwentyApp));
        self.likely.extend(path.starts_with("/s/").then_some(TwentyApp));
    }

    /// Adds the signs of an answer.
    fn add(&mut self, answer: &Response) {
        let header = |name: &str| {
            let found = answer.headers.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| std::str::from_utf8(value).ok()).unwrap_or_default()
        };
        let is = |name: &str, value: &str| header(name).eq_ignore_ascii_case(value);
        let begins = |name: &str, start: &str| header(name).starts_with(start);
        let cookie =
            |name: &str| answer.headers.all("set-cookie").any(|value| value.starts_with(name.as_bytes()));
        let has_secured =
            is("referrer-policy", "same-origin") && is("cross-origin-opener-policy", "same-origin");
        for (is_there, stack) in [
            (is("x-powered-by", "Express"), Express),
            (is("x-powered-by", "Next.js"), Next),
            (
                answer.headers.0.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("x-nextjs-")),
                Next,
            ),
            (header("vary").to_ascii_lowercase().contains("next-router-state-tree"), Next),
            (begins("x-powered-by", "PHP/"), Php),
            (cookie("laravel_session=") || cookie("PHPSESSID=") || !header("x-debug-token").is_empty(), Php),
            (begins("server", "Werkzeug/"), Flask),
            (has_secured && is("x-frame-options", "DENY") || cookie("csrftoken="), Django),
            (!header("x-runtime").is_empty() && !header("x-request-id").is_empty(), Rails),
            (answer.status == 202 && *answer.body == *br#"{"queued":true}"#, TwentyApp),
        ] {
            self.sure.extend(is_there.then_some(stack));
        }
        if answer.status >= 300 {
            let body = &answer.body[..answer.body.len().min(SEARCHED)];
            self.sure.extend(told_by_body(&String::from_utf8_lossy(body)));
        }
        // What Go's http.Error sends.
        let is_go_error = is("x-content-type-options", "nosniff")
            && is("content-type", "text/plain; charset=utf-8")
            && answer.body.ends_with(b"\n")
            && header("server").is_empty()
            && header("keep-alive").is_empty();
        for (is_there, stack) in [
            (begins("server", "uvicorn") || begins("server", "hypercorn"), FastApi),
            (begins("server", "WSGIServer/") || begins("server", "daphne"), Django),
            (
                ["gunicorn", "BaseHTTP/", "Python/", "waitress"].iter().any(|one| begins("server", one)),
                Python,
            ),
            (begins("server", "WEBrick/"), Ruby),
            (begins("server", "Jetty("), Java),
            // Apache's has `max` too.
            (begins("keep-alive", "timeout=") && !header("keep-alive").contains("max"), Node),
            (is_go_error, Go),
        ] {
            self.likely.extend(is_there.then_some(stack));
        }
    }
}

/// The last part of a path, without the ending that Windows adds.
fn base_name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    [".exe", ".cmd", ".bat"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// The frameworks whose own page or error a body is.
fn told_by_body(body: &str) -> impl Iterator<Item = Stack> {
    let has = |text: &str| body.contains(text);
    let all = |texts: &[&str]| texts.iter().all(|text| body.contains(text));
    let found = [
        (all(&["<title>Error</title>", "<pre>"]), Express),
        (has("/_next/static/"), Next),
        (has(r#""code":"FST_ERR_"#) || all(&[r#""message":"Route "#, r#" not found","#]), Fastify),
        (
            matches!(body, r#"{"detail":"Not Found"}"# | r#"{"detail":"Method Not Allowed"}"#)
                || body.starts_with(r#"{"detail":[{"#) && has(r#""loc":["#),
            FastApi,
        ),
        (body.starts_with("<!doctype html>\n<html lang=en>\n<title>"), Flask),
        (has("DEBUG = True</code> in your Django settings") || has("CSRF verification failed."), Django),
        (matches!(body, "404 page not found\n" | "404 page not found"), Go),
        (has(r#"<code class="url">"#), Php),
        (has("Action Controller: Exception caught") || has("ActionController::"), Rails),
        (
            body.starts_with(r#"{"timestamp":"#) && all(&[r#""status":"#, r#""error":"#, r#""path":"#])
                || has("Whitelabel Error Page"),
            Spring,
        ),
        (
            [r#""code":"ROUTE_TRIGGER_"#, r#""code":"SERVER_ROUTE_"#, r#""code":"RESOLVER_"#]
                .iter()
                .any(|code| has(code)),
            TwentyApp,
        ),
    ];
    found.into_iter().filter_map(|(is_there, stack)| is_there.then_some(stack))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::wire::exchange::Headers;

    /// An answer that a receiver gave, from the folder of such answers.
    fn answer(name: &str) -> Response {
        let path = format!("{}/fixtures/answers/{name}.http", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap();
        let (first, rest) = head.split_once('\n').unwrap();
        let mut headers = Headers::default();
        for line in rest.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            headers.add(name, value.to_owned());
        }
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, headers, body: body.to_owned().into(), cut: 0 }
    }

    fn told(answers: &[&str], command: &str) -> Option<Stack> {
        let answers: Vec<Response> = answers.iter().map(|name| answer(name)).collect();
        told_by(answers.iter(), command, "/")
    }

    #[test]
    fn answers_tell_the_framework() {
        let url = "http://127.0.0.1:3000/node/go/run";
        for (name, stack) in [
            ("express-not-found", Express),
            ("next-error", Next),
            ("fastify-not-found", Fastify),
            ("fastapi-not-found", FastApi),
            ("fastapi-unauthorized", FastApi),
            ("flask-not-found", Flask),
            ("flask-gunicorn-not-found", Flask),
            ("django-not-found", Django),
            ("django-csrf", Django),
            ("go-not-found", Go),
            ("go-unauthorized", Go),
            ("php-unauthorized", Php),
            ("php-not-found", Php),
            ("rails-unauthorized", Rails),
            ("spring-not-found", Spring),
            ("spring-page", Spring),
            ("node-unauthorized", Node),
            ("python-unauthorized", Python),
        ] {
            assert_eq!(told(&[name], url), Some(stack), "{name}");
        }
    }

    #[test]
    fn each_sign_of_an_answer_is_enough() {
        let with = |name: &str, value: &str, status, body: &str| {
            let mut headers = Headers::default();
            headers.add(name, value.to_owned());
            told_by([Response { status, headers, body: body.to_owned().into(), cut: 0 }].iter(), "", "/")
        };
        for (name, value, stack) in [
            ("x-powered-by", "Express", Express),
            ("X-Powered-By", "Next.js", Next),
            ("X-Nextjs-Cache", "HIT", Next),
            ("Vary", "RSC, Next-Router-State-Tree", Next),
            ("X-Powered-By", "PHP/8.3.1", Php),
            ("Set-Cookie", "laravel_session=abc", Php),
            ("Set-Cookie", "PHPSESSID=abc", Php),
            ("X-Debug-Token", "abc", Php),
            ("Server", "Werkzeug/3.1 Python/3.12", Flask),
            ("Set-Cookie", "csrftoken=abc", Django),
            ("Server", "WSGIServer/0.2 CPython/3.12", Django),
            ("Server", "daphne", Django),
            ("Server", "uvicorn", FastApi),
            ("Server", "hypercorn-h11", FastApi),
            ("Server", "gunicorn", Python),
            ("Server", "WEBrick/1.8", Ruby),
            ("Server", "Jetty(12.0)", Java),
            ("Keep-Alive", "timeout=5", Node),
        ] {
            assert_eq!(with(name, value, 200, ""), Some(stack), "{name}: {value}");
        }
        for (body, stack) in [
            ("<script src=\"/_next/static/a.js\">", Next),
            ("{\"statusCode\":400,\"code\":\"FST_ERR_CTP_EMPTY_JSON_BODY\"}", Fastify),
            ("{\"detail\":[{\"type\":\"missing\",\"loc\":[\"header\",\"x\"]}]}", FastApi),
            ("{\"detail\":\"Method Not Allowed\"}", FastApi),
            ("because you have <code>DEBUG = True</code> in your Django settings file", Django),
            ("404 page not found", Go),
            ("<h1>Action Controller: Exception caught</h1>", Rails),
            ("ActionController::RoutingError (No route matches)", Rails),
            ("{\"statusCode\":500,\"code\":\"ROUTE_TRIGGER_USER_UNCAUGHT_ERROR\"}", TwentyApp),
            ("{\"statusCode\":502,\"code\":\"RESOLVER_INVALID_RESULT\"}", TwentyApp),
        ] {
            assert_eq!(with("X-A", "b", 404, body), Some(stack), "{body}");
            assert_eq!(with("X-A", "b", 200, body), None, "{body}");
        }
        for (name, value, body) in [
            ("Server", "nginx", "404 Not Found"),
            ("Keep-Alive", "timeout=5, max=100", ""),
            ("X-Powered-By", "ASP.NET", ""),
            ("X-Request-Id", "abc", ""),
            ("Referrer-Policy", "same-origin", ""),
            ("X-Content-Type-Options", "nosniff", "no\n"),
            ("Content-Type", "text/plain; charset=utf-8", "no\n"),
            ("Content-Type", "application/json", "{\"status\":404,\"error\":\"Not Found\"}"),
            (
                "Content-Type",
                "application/json",
                "{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"Not Found\"}",
            ),
        ] {
            assert_eq!(with(name, value, 404, body), None, "{name}: {value} {body}");
        }
    }

    #[test]
    fn commands_tell_the_framework_or_the_language() {
        for (command, stack) in [
            ("npx next dev -p {port}", Next),
            ("node_modules/.bin/next start", Next),
            ("uvicorn app:app --port {port}", FastApi),
            ("python3 -m uvicorn app:app", FastApi),
            ("fastapi dev app.py", FastApi),
            ("gunicorn -k uvicorn.workers.UvicornWorker app:app", FastApi),
            ("uvicorn shop.asgi:application", Django),
            ("flask --app app run -p {port}", Flask),
            ("sh -c 'FLASK_APP=app flask run'", Flask),
            ("python manage.py runserver {port}", Django),
            ("gunicorn shop.wsgi", Django),
            ("gunicorn app:app", Python),
            ("go run ./cmd/receiver", Go),
            ("php -S 127.0.0.1:{port} receiver.php", Php),
            ("php artisan serve --port {port}", Php),
            ("php serve.php", Php),
            ("symfony server:start", Php),
            ("bin/rails s -p {port}", Rails),
            ("bundle exec rails server", Rails),
            ("ruby app.rb", Ruby),
            ("./mvnw spring-boot:run", Spring),
            ("./gradlew bootRun", Spring),
            ("java -jar app.jar", Java),
            ("node server.mjs", Node),
            (r"C:\nodejs\node.exe server.mjs", Node),
            ("npm run dev", Node),
            ("/opt/python3.12 app.py", Python),
        ] {
            assert_eq!(told(&[], command), Some(stack), "{command}");
        }
        for command in
            ["./receiver", "cargo run", "dotnet run", "next", "flask", "php=1", "https://a/php", ""]
        {
            assert_eq!(told(&[], command), None, "{command}");
        }
    }

    #[test]
    fn applications_of_twenty_are_told_by_their_paths_and_answers() {
        let id = "7d3a4c11-52be-4f6d-8c07-2e9f0a6b1d88";
        let of = |answers: &[Response], path: &str| told_by(answers.iter(), "node platform.mjs", path);
        let queued = Response::text(202, "{\"queued\":true}");
        for (answers, path, stack) in [
            (vec![], format!("/webhooks/server/{id}"), TwentyApp),
            (vec![], "/s/webhooks/twenty".to_owned(), TwentyApp),
            (vec![], "/webhooks/server/".to_owned(), Node),
            (vec![], "/webhooks/twenty/s/".to_owned(), Node),
            (vec![queued], "/hooks".to_owned(), TwentyApp),
            (vec![Response::text(200, "{\"queued\":true}")], "/hooks".to_owned(), Node),
            // A route of Express may begin with `/s/` too, but Twenty's server is one of Express.
            (vec![answer("express-not-found")], "/s/hooks".to_owned(), Express),
            (vec![answer("express-not-found")], format!("/webhooks/server/{id}"), TwentyApp),
        ] {
            assert_eq!(of(&answers, &path), Some(stack), "{path}");
        }
    }

    #[test]
    fn signs_of_two_frameworks_tell_nothing() {
        assert_eq!(told(&["express-not-found", "php-unauthorized"], ""), None);
        assert_eq!(told(&["django-not-found", "flask-not-found"], ""), None);
        // A proxy that was started before a receiver of another kind.
        assert_eq!(told(&["flask-not-found"], "go run proxy.go"), None);
        assert_eq!(told(&["node-unauthorized"], "python3 proxy.py"), None);
        // A server that is mostly used with another framework says less than a framework's own page.
        assert_eq!(told(&["django-not-found"], "uvicorn app:app"), Some(Django));
        assert_eq!(told(&["express-not-found"], "node server.mjs"), Some(Express));
        assert_eq!(told(&["fastapi-unauthorized"], "python3 app.py"), Some(FastApi));
    }
}
