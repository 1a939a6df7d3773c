//! Finds which file uses which, by resolving the paths in its code.
//!
//! It follows `crate::`, `super::`, `self::`, names that the file declares (`mod x;`) or imports, and re-exports (`pub use`) to
//! the file that defines the item. A `mod` line or a re-export is not a use.

use std::collections::BTreeMap;

use super::source::{Token, closing, is, tokens};

/// A use of another file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) from: String,
    /// The line in `from`.
    pub(super) line: usize,
    /// The resolved path: `crate::wire::exchange::Delivery`.
    pub(super) path: String,
    /// The file that defines the item.
    pub(super) to: String,
}

type Segments = Vec<String>;

/// A path in a file's code, from the crate's root.
struct Path {
    segments: Segments,
    line: usize,
}

/// The paths of one file.
#[derive(Default)]
struct File {
    /// Its module, from the crate's root.
    module: Segments,
    paths: Vec<Path>,
    /// Its re-exports: the name (`*` for a glob) and the path of the item.
    exports: Vec<(String, Segments)>,
}

/// Every use of one file in another. `files` has paths from the project's root, and texts.
pub(super) fn imports(files: &[(String, String)]) -> Vec<Import> {
    let modules: BTreeMap<Segments, &str> =
        files.iter().map(|(name, _)| (module(name), name.as_str())).collect();
    let read: Vec<File> = files.iter().map(|(name, text)| read(name, text)).collect();
    let exports: BTreeMap<&Segments, &File> = read.iter().map(|file| (&file.module, file)).collect();
    let mut found = Vec::new();
    for ((name, _), file) in files.iter().zip(&read) {
        for Path { segments, line } in &file.paths {
            let (segments, to) = resolve(segments.clone(), &modules, &exports, 0);
            if to != name && !to.is_empty() {
                let path = format!("crate::{}", segments.join("::"));
                found.push(Import { from: name.clone(), line: *line, path, to: to.to_owned() });
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The module of a file: `["wire", "client"]` for `harness/wire/client.rs`.
fn module(name: &str) -> Segments {
    let rest = name.strip_prefix("harness/").unwrap_or(name);
    let rest = rest.strip_suffix(".rs").unwrap_or(rest);
    let mut segments: Segments = rest.split('/').map(str::to_owned).collect();
    if segments.last().is_some_and(|last| last == "mod") || segments == ["lib"] {
        segments.pop();
    }
    segments
}

/// The path with re-exports followed, and the file that defines its item: the longest prefix that is a module.
fn resolve<'a>(
    segments: Segments,
    modules: &BTreeMap<Segments, &'a str>,
    files: &BTreeMap<&Segments, &File>,
    depth: usize,
) -> (Segments, &'a str) {
    let length = (0..=segments.len()).rev().find(|&length| modules.contains_key(&segments[..length]));
    let Some(length) = length else { return (segments, "") };
    let module = segments[..length].to_vec();
    if let Some(name) = segments.get(length)
        && depth < 8
        && let Some((_, item)) = files[&module].exports.iter().find(|(exported, _)| exported == name)
    {
        let item = item.iter().chain(&segments[length + 1..]).cloned().collect();
        return resolve(item, modules, files, depth + 1);
    }
    let file = modules[&module];
    (segments, file)
}

fn read(name: &str, text: &str) -> File {
    let tokens = tokens(text);
    let mut file = File { module: module(name), ..File::default() };
    // Names for paths from the crate's root. Declarations come first, since a `use` may refer to them.
    let mut known: BTreeMap<String, Segments> = BTreeMap::new();
    for at in 0..tokens.len() {
        if is(&tokens[at..], &["mod"]) && tokens.get(at + 2).is_some_and(|token| token.text == ";") {
            let child = tokens[at + 1].text.to_owned();
            known.insert(child.clone(), [&file.module[..], &[child]].concat());
        }
    }
    known.insert("twenty_conform".to_owned(), Segments::new());
    let mut uses = Vec::new();
    let (mut at, mut code) = (0, Vec::new());
    while at < tokens.len() {
        // `use<'a>` is a bound.
        if tokens[at].text == "use" && !is(&tokens[at + 1..], &["<"]) {
            let exported = at > 0 && (tokens[at - 1].text == "pub" || is_visibility(&tokens[..at]));
            let mut end = at + 1;
            while end < tokens.len() && tokens[end].text != ";" {
                end += 1;
            }
            use_tree(&tokens[at + 1..end], &[], &mut |path, line, alias| {
                uses.push((path.to_vec(), line, alias, exported));
            });
            at = end;
        } else {
            code.push(tokens[at]);
        }
        at += 1;
    }
    for (path, line, alias, exported) in uses {
        let Some(segments) = absolute(&path, &file.module, &known) else { continue };
        if exported {
            file.exports.push((alias.to_owned(), segments.clone()));
        } else {
            file.paths.push(Path { segments: segments.clone(), line });
        }
        known.insert(alias.to_owned(), segments);
    }
    file.paths.extend(inline_paths(&code).filter_map(|(path, line)| {
        let segments = absolute(&path, &file.module, &known)?;
        Some(Path { segments, line })
    }));
    file
}

/// Whether the tokens end with `pub(…)`.
fn is_visibility(tokens: &[Token<'_>]) -> bool {
    let open = tokens.iter().rposition(|token| token.text == "(");
    tokens.last().is_some_and(|last| last.text == ")")
        && open.is_some_and(|open| open > 0 && tokens[open - 1].text == "pub")
}

/// Calls `found` with each path of a `use` tree, its line, and its local name.
fn use_tree<'a>(tokens: &[Token<'a>], before: &[&'a str], found: &mut dyn FnMut(&[&'a str], usize, &'a str)) {
    let mut path = before.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        match token.text {
            "::" => {}
            "{" => {
                let end = closing(tokens, at);
                let mut begin = at + 1;
                let mut place = begin;
                while place <= end.min(tokens.len() - 1) {
                    match tokens[place].text {
                        "{" => place = closing(tokens, place),
                        "," | "}" => {
                            use_tree(&tokens[begin..place], &path, found);
                            begin = place + 1;
                        }
                        _ => {}
                    }
                    place += 1;
                }
                return;
            }
            "as" => {
                found(&path, token.line, tokens.get(at + 1).map_or("_", |alias| alias.text));
                return;
            }
            // `{self}` names the module itself.
            "self" if !path.is_empty() => {}
            text => path.push(text),
        }
        at += 1;
    }
    if let (Some(last), Some(token)) = (path.last().copied(), tokens.first()) {
        found(&path, token.line, last);
    }
}

/// Paths with at least two segments in code, with their lines.
fn inline_paths<'a>(code: &[Token<'a>]) -> impl Iterator<Item = (Vec<&'a str>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let begins = is(&code[(at + 1).min(code.len())..], &["::"]) && is_name(code[at].text);
        let continues = at > 0 && code[at - 1].text == "::";
        // `pub(in crate::x)` is a visibility, not a use.
        let is_visibility =
            at > 0 && code[at - 1].text == "in" && at > 2 && is(&code[at - 3..], &["pub", "("]);
        let line = code[at].line;
        if begins && !continues && !is_visibility {
            let mut path = vec![code[at].text];
            while is(&code[at + 1..], &["::"]) && code.get(at + 2).is_some_and(|next| is_name(next.text)) {
                path.push(code[at + 2].text);
                at += 2;
            }
            found.push((path, line));
        }
        at += 1;
    }
    found.into_iter()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// A path from the crate's root; `None` if it leads to another crate.
fn absolute(path: &[&str], module: &[String], known: &BTreeMap<String, Segments>) -> Option<Segments> {
    let (mut begin, mut rest) = match *path.first()? {
        "crate" => (Segments::new(), &path[1..]),
        "self" => (module.to_vec(), &path[1..]),
        "super" => (module.to_vec(), path),
        first => (known.get(first)?.clone(), &path[1..]),
    };
    while rest.first() == Some(&"super") {
        begin.pop();
        rest = &rest[1..];
    }
    begin.extend(rest.iter().map(|&segment| segment.to_owned()));
    Some(begin)
}
