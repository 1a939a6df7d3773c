//! Splits Rust source into tokens, without comments, the contents of literals, and items under `#[cfg(test)]`.

/// A word, a number, a literal, `::`, or one character of punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// Its text; `""` for text and character literals.
    pub(super) text: &'a str,
    /// The source of a text or character literal, with its quotes; empty for other tokens.
    pub(super) literal: &'a str,
    /// Its line, counted from 1.
    pub(super) line: usize,
}

/// All tokens of a file, except those of its tests.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    without_tests(&all_tokens(text))
}

fn all_tokens(text: &str) -> Vec<Token<'_>> {
    let (mut at, mut line, mut found) = (0, 1, Vec::new());
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let mut literal = "";
        let (length, token) = if first.is_whitespace() {
            (first.len_utf8(), None)
        } else if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (block_comment(rest), None)
        } else if let Some(length) = text_literal(rest) {
            literal = &rest[..length];
            (length, Some("\"\""))
        } else if is_word(first) {
            let length = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            (length, Some(&rest[..length]))
        } else if rest.starts_with("::") {
            (2, Some("::"))
        } else {
            (first.len_utf8(), Some(&rest[..first.len_utf8()]))
        };
        found.extend(token.map(|text| Token { text, literal, line }));
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the block comment that begins here. Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The length of the text or character literal that begins here, if one does. A lifetime is not a literal.
fn text_literal(text: &str) -> Option<usize> {
    let prefix =
        ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| text.starts_with(prefix)).unwrap_or("");
    let rest = &text[prefix.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if prefix.ends_with('r') && rest[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let begin = prefix.len() + hashes + 1;
        return Some(text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len()));
    }
    let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    if quote == '\'' {
        let mut next = rest[1..].chars();
        let (first, second) = (next.next()?, next.next());
        if first != '\\' && second != Some('\'') {
            return None;
        }
    }
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(prefix.len() + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let (mut at, mut kept) = (0, Vec::new());
    while at < tokens.len() {
        if is(&tokens[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            at += 7;
            while is(&tokens[at..], &["#", "["]) {
                at = closing(tokens, at + 1) + 1;
            }
            while at < tokens.len() && ![";", "{"].contains(&tokens[at].text) {
                at += 1;
            }
            at = if at < tokens.len() && tokens[at].text == "{" { closing(tokens, at) } else { at } + 1;
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// Whether the tokens begin with these.
pub(super) fn is(tokens: &[Token<'_>], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

/// The index of the bracket that closes the one at `open`.
pub(super) fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

#[test]
fn tokens_exclude_comments_literals_and_tests() {
    let text = r##"
        //! use crate::a;
        /* crate::b /* nested */ crate::c */
        fn f<'a>(x: &'a str) { let y = "crate::d \" crate::e"; let z = ('"', '\'', b'x', r#"crate::"f"#); }
        #[cfg(test)]
        #[allow(unused, reason = "a test")]
        mod tests { use crate::g; }
        #[cfg(test)]
        use crate::h;
        use crate::i;
    "##;
    let found: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
    let text = "fn f < ' a > ( x : & ' a str ) { let y = \"\" ; let z = ( \"\" , \"\" , \"\" , \"\" ) ; } use crate :: i ;";
    assert_eq!(found.join(" "), text);
    assert_eq!(tokens("a\n\nb /*\n*/ c").iter().map(|token| token.line).collect::<Vec<_>>(), [1, 3, 4]);
}
