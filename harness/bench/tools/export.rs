//! Exports loads for other tools: a locustfile that signs when it sends, and pre-signed deliveries for wrk, which cannot sign.
//!
//! No file contains the signing secret; the secret of the locustfile is unknown here, because it comes from the environment when
//! locust runs. Only exported files are overwritten.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::ids::{ID_LENGTH, Ids};
use crate::bench::generate::probe::{self, Probe};
use crate::bench::tools::messages;
use crate::error::Error;
use crate::files;
use crate::random::Random;
use crate::redaction::encodings::is_in;
use crate::shell::posix::quoted;
use crate::webhook::dialect::{Dialect, rfc3339};
use crate::webhook::signature::{Key, Secret};
use crate::webhook::vectors;

/// The version of locust that the locustfile is tested with.
pub const LOCUST: &str = "2.47.0";
pub const MOST_DELIVERIES: u32 = 1_000_000;
/// The limit of all bodies together, in bytes.
const LARGEST: u64 = 1 << 30;
/// Every exported file contains this in its first `MARKED` bytes.
const MARK: &str = "twenty-conform bench export";
const MARKED: u64 = 2048;

/// The vectors that the locustfile checks itself against. Each detects a different signing error.
const CHECKED: [&str; 7] = [
    "documentation-sample",
    "shipped-record-event",
    "body-empty",
    "body-many-scripts",
    "secret-non-ascii",
    "secret-131-bytes",
    "signed-text-64-bytes",
];

/// The files of a load for locust.
pub const LOCUST_FILES: [&str; 4] = ["locustfile.py", "requirements.txt", "k8s.yaml", "README.md"];

const LOCUSTFILE: &str = include_str!("locust/locustfile.py");

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
pub struct ExportContent<'a> {
    pub dialect: &'static Dialect,
    pub corpus: &'a Corpus,
    /// The webhook's URL, or empty if unknown.
    pub url: &'a str,
    /// The time of the export, in milliseconds since the epoch.
    pub now_ms: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct Presigning<'a> {
    pub secret: &'a Secret,
    pub count: u32,
    pub good_for: Duration,
    pub seed: u64,
}

struct PresignedDelivery {
    timestamp: String,
    signature: String,
    nonce: Option<String>,
    body: Vec<u8>,
}

/// The files for locust. Errors: a vector is missing, which is a fault of the harness, or a body is not text.
pub fn locust(content: &ExportContent<'_>) -> Result<Vec<Exported>, String> {
    let fill = |text: &str| {
        text.replace("@LOCUST@", LOCUST)
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@DIALECT@", content.dialect.name)
            .replace("@BODIES@", &content.corpus.bodies().len().to_string())
            .into_bytes()
    };
    let requirements = format!("# {MARK} locust\nlocust==@LOCUST@\n");
    Ok(vec![
        Exported { name: LOCUST_FILES[0], bytes: locustfile(content)?.into_bytes() },
        Exported { name: LOCUST_FILES[1], bytes: fill(&requirements) },
        Exported { name: LOCUST_FILES[2], bytes: fill(include_str!("locust/k8s.yaml")) },
        Exported { name: LOCUST_FILES[3], bytes: fill(include_str!("locust/README.md")) },
    ])
}

/// The locustfile with embedded vectors and bodies.
fn locustfile(content: &ExportContent<'_>) -> Result<String, String> {
    // A JSON string is a valid Python string: serde_json writes only escapes that Python has too.
    let text = |text: &str| Value::from(text).to_string();
    let known = vectors::all()?;
    let mut vectors = String::new();
    for name in CHECKED {
        let vector = known.iter().find(|vector| vector.name == name);
        let vector = vector.ok_or_else(|| messages::vector_missing(name))?;
        let body = String::from_utf8(vector.body().to_vec());
        let body = body.map_err(|_| messages::vector_not_text(name))?;
        let signature = vector.signatures.values().next().map_or("", String::as_str);
        let vector = members(
            "            ",
            &[
                ("name", text(name)),
                ("secret", text(&vector.secret)),
                ("timestamp", text(&vector.timestamp)),
                ("body", text(&body)),
                ("signature", text(signature)),
            ],
        );
        vectors.push_str(&format!("        {{\n{vector}        }},\n"));
    }
    let mut bodies = String::new();
    for body in content.corpus.bodies() {
        let whole = std::str::from_utf8(&body.bytes);
        let whole = whole.map_err(|why| messages::body_not_text(&why.to_string()))?;
        let parts: Vec<String> = match body.id.clone() {
            Some(id) => vec![text(&whole[..id.start]), text(&whole[id.end..])],
            None => vec![text(whole)],
        };
        let parts: String = parts.iter().map(|part| format!("            {part},\n")).collect();
        bodies.push_str(&format!("        [\n{parts}        ],\n"));
    }
    let embedded = members(
        "    ",
        &[
            ("version", text(env!("CARGO_PKG_VERSION"))),
            ("dialect", text(content.dialect.name)),
            ("nonce", if content.dialect.nonce { "True" } else { "False" }.to_owned()),
            ("url", text(content.url)),
            ("occurred_at", text(&rfc3339(content.now_ms))),
            ("vectors", format!("[\n{vectors}    ]")),
            ("probes", format!("[\n{}    ]", probes())),
            ("bodies", format!("[\n{bodies}    ]")),
        ],
    );
    let placed = LOCUSTFILE.split_once("EMBEDDED = {\n").and_then(|(before, rest)| {
        let (_, after) = rest.split_once("# END EMBEDDED")?;
        Some(format!("{before}EMBEDDED = {{\n{embedded}}}\n# END EMBEDDED{after}"))
    });
    placed.ok_or_else(messages::locustfile_without_marks)
}

/// The probes, one per line, with the steps that make each.
fn probes() -> String {
    let line = |probe: &Probe| {
        let Probe { requirement, forgery, .. } = probe;
        let fields = json!({
            "name": forgery.name, "requirement": requirement.id, "level": requirement.level, "steps": forgery.steps,
        });
        format!("        {},\n", python(&fields))
    };
    probe::all().iter().map(line).collect()
}

/// A value as Python writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Value::Array(values) => format!("[{}]", values.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("\"{name}\": {}", python(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        // Numbers and texts are the same in both: serde_json writes only escapes that Python has too.
        other => other.to_string(),
    }
}

/// The members of a Python dictionary, one per line.
fn members(indent: &str, members: &[(&str, String)]) -> String {
    members.iter().map(|(name, value)| format!("{indent}\"{name}\": {value},\n")).collect()
}

/// The files for wrk, with deliveries that are signed now.
///
/// Errors: too few, too many or too large deliveries, or a body that contains the secret.
pub fn wrk(content: &ExportContent<'_>, signing: &Presigning<'_>) -> Result<Vec<Exported>, String> {
    let until_ms = content.now_ms + u64::try_from(signing.good_for.as_millis()).unwrap_or_default();
    let (signed_at, until) = (rfc3339(content.now_ms), rfc3339(until_ms));
    let deliveries = presigned(content, signing)?;
    let fill = |text: &str| {
        text.replace("@COUNT@", &deliveries.len().to_string())
            .replace("@DIALECT@", content.dialect.name)
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@MINUTES@", &format!("{:.1}", signing.good_for.as_secs_f64() / 60.0))
            .replace("@SIGNED@", &signed_at)
            .replace("@UNTIL@", &until)
            .replace("@URL@", &quoted(content.url.as_bytes()).unwrap_or_default())
            .into_bytes()
    };
    let count = deliveries.len();
    let mut bytes =
        messages::head_of_deliveries(MARK, count, &signed_at, (until_ms / 1000, &until)).into_bytes();
    for one in &deliveries {
        let nonce = one.nonce.as_deref().unwrap_or("-");
        let line = format!("{} {} {nonce} {}\n", one.timestamp, one.signature, one.body.len());
        bytes.extend([line.as_bytes(), &one.body, b"\n"].concat());
    }
    Ok(vec![
        Exported { name: "deliveries.lua", bytes: fill(include_str!("presigned/deliveries.lua")) },
        Exported { name: "deliveries.txt", bytes },
        Exported { name: "README.md", bytes: fill(include_str!("presigned/README.md")) },
    ])
}

fn presigned(
    content: &ExportContent<'_>,
    signing: &Presigning<'_>,
) -> Result<Vec<PresignedDelivery>, String> {
    let bodies = content.corpus.bodies();
    if !(1..=MOST_DELIVERIES).contains(&signing.count) || bodies.is_empty() {
        return Err(messages::wrong_number_of_deliveries(MOST_DELIVERIES));
    }
    if let Some(at) = bodies.iter().position(|body| is_in(signing.secret, &body.bytes)) {
        return Err(messages::secret_in_body(at + 1));
    }
    let key = Key::new(signing.secret);
    let (ids, random) = (Ids::of(signing.seed), Random::from_seed(signing.seed));
    let timestamp = content.now_ms.to_string();
    let (mut deliveries, mut bytes, mut number) = (Vec::new(), 0, 0);
    for body in bodies.iter().cycle().take(signing.count as usize) {
        bytes += body.bytes.len() as u64;
        if bytes > LARGEST {
            return Err(messages::deliveries_too_large(signing.count, LARGEST >> 20));
        }
        let mut text = body.bytes.to_vec();
        if let Some(id) = body.id.clone()
            && let Some(id) = text[id].first_chunk_mut::<ID_LENGTH>()
        {
            ids.write(number, id);
            number += 1;
        }
        deliveries.push(PresignedDelivery {
            signature: key.sign(timestamp.as_bytes(), &text).to_hex(),
            timestamp: timestamp.clone(),
            nonce: content.dialect.nonce.then(|| random.nonce()),
            body: text,
        });
    }
    Ok(deliveries)
}

/// Writes an export into a folder, which is created if missing. Returns the paths.
///
/// Errors: a path cannot be written, or has a file that was not exported.
pub fn write(folder: &Path, exported: &[Exported]) -> Result<Vec<PathBuf>, Error> {
    let paths: Vec<PathBuf> = exported.iter().map(|file| folder.join(file.name)).collect();
    for path in &paths {
        if let Some(why) = protected(path) {
            return Err(Error::Usage(messages::not_overwritten(&path.display().to_string(), &why)));
        }
    }
    let made = fs::create_dir_all(folder);
    made.map_err(|why| {
        Error::Usage(messages::not_writable(&folder.display().to_string(), &why.to_string()))
    })?;
    for (path, file) in paths.iter().zip(exported) {
        files::write(path, &file.bytes).map_err(|source| Error::Report { path: path.clone(), source })?;
    }
    Ok(paths)
}

/// Why a path must not be overwritten, if so.
fn protected(path: &Path) -> Option<String> {
    let known = fs::symlink_metadata(path).ok()?;
    if !known.is_file() {
        return Some(messages::is_not_a_file());
    }
    let mut start = Vec::new();
    match fs::File::open(path).and_then(|file| file.take(MARKED).read_to_end(&mut start)) {
        Err(why) => Some(messages::is_unreadable(&why.to_string())),
        Ok(_) if String::from_utf8_lossy(&start).contains(MARK) => None,
        Ok(_) => Some(messages::is_not_exported()),
    }
}
