//! The frame of every HTML page: one file with its style and script inside, which needs no network.
//!
//! A page's security policy names the hashes of that style and script and forbids everything else, so that text from outside
//! could do nothing even if it were not escaped. Pages are readable without the script.

pub(crate) mod parts;
pub(crate) mod text;

mod messages;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// Colours, type, and the parts that every page has.
const STYLE: &str = include_str!("page.css");
/// The switch of the theme, and the buttons that copy.
const SCRIPT: &str = include_str!("page.js");

const HEAD_END: &str = "</head>";

/// A page within the frame.
pub(crate) struct Page<'a> {
    /// The title of the window.
    pub(crate) title: &'a str,
    /// What kind of page it is, next to the name of the program.
    pub(crate) kind: &'a str,
    /// The page's own style, after the frame's.
    pub(crate) style: &'a str,
    /// The page's own script, after the frame's. It must not contain the end of a script element.
    pub(crate) script: &'a str,
    pub(crate) main: Markup,
}

impl Page<'_> {
    /// The whole file.
    pub(crate) fn render(&self) -> String {
        let style = format!("{STYLE}{}", self.style);
        let script = format!("{SCRIPT}{}", self.script);
        let policy = [
            "default-src 'none'",
            &format!("style-src '{}'", hash(&style)),
            &format!("script-src '{}'", hash(&script)),
            "base-uri 'none'",
            "form-action 'none'",
        ]
        .join("; ");
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (text::line(self.title)) }
                    style { (PreEscaped(&style)) }
                    script { (PreEscaped(&script)) }
                }
                body {
                    a.skip href="#main" { (messages::skip_to_content()) }
                    header.bar {
                        p.brand { (env!("CARGO_PKG_NAME")) " " span { (self.kind) } }
                        button #theme type="button" hidden { (messages::dark_theme()) }
                    }
                    main #main tabindex="-1" { (self.main) }
                    p #said .unseen role="status" {}
                }
            }
        };
        page.into_string() + "\n"
    }
}

/// The text of a page with the secrets redacted that were missed. The style and the script in its head are the suite's own and stay as
/// their hashes say, although a short secret may be a word of them. Another text is redacted as a whole.
pub(crate) fn redacted(text: &str, redact: impl Fn(&str) -> String) -> String {
    match text.split_once(HEAD_END).filter(|_| text.starts_with(&DOCTYPE.into_string())) {
        Some((head, body)) => format!("{head}{HEAD_END}{}", redact(body)),
        None => redact(text),
    }
}

/// A hash as security policies name it.
fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

/// A command or a line of code with a button that copies it. `label` says what it is.
pub(crate) fn copied(label: &str, code: &str) -> Markup {
    html! {
        div.copied {
            pre { code { (text::whole(code)) } }
            button.copy type="button" hidden aria-label=(messages::copy(label)) { (messages::copy_button()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::{Page, SCRIPT, hash, redacted};

    #[test]
    fn policy_names_the_hash_of_the_content() {
        assert_eq!(hash("alert(1)"), "sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
    }

    #[test]
    fn short_secret_leaves_style_and_script_as_they_are() {
        let main = html! { p { "the key" } };
        let page = Page { title: "a", kind: "b", style: "", script: "", main }.render();
        let redact = |text: &str| text.replace("key", "[redacted]");
        let shown = redacted(&page, redact);
        assert!(shown.contains("the [redacted]") && shown.contains(SCRIPT), "{shown}");
        assert_eq!(redacted("a key</head>", redact), "a [redacted]</head>");
    }

    #[test]
    fn script_does_not_end_its_element() {
        assert!(!SCRIPT.contains("</"));
    }
}
