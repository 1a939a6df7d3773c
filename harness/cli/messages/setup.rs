//! What the help of commands for set-up ends with: `init`, `completions` and `man`.

pub(crate) const INIT: &str = "\
Examples:
  # Answer a few questions on a terminal
  $ twenty-conform init
  # Write the configuration for a receiver, and a workflow that checks it
  $ twenty-conform init --exec 'node server.mjs' --path /webhooks/twenty --ci github
  # Keep known failures in a file, and fail on shoulds too
  $ twenty-conform init --yes --fail-on should --known-failures known-failures.toml
  # Check a sender that CI starts in the background
  $ twenty-conform init sender --control http://127.0.0.1:4010/ --ci gitlab --ci-start './sender'";

/// The statuses of `init`.
pub(crate) const OF_INIT: &str = "\
Exit status:
    0  every file was written
    2  usage error, an invalid answer, a file that exists, or a folder that cannot be written
   70  a file could not be written; none was changed
  130  interrupted; nothing was written";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  # Complete in each bash that starts
  $ twenty-conform completions bash > ~/.local/share/bash-completion/completions/twenty-conform
  # Complete in zsh; the folder is one of its fpath
  $ twenty-conform completions zsh > ~/.zfunc/_twenty-conform
  # Complete in fish
  $ twenty-conform completions fish > ~/.config/fish/completions/twenty-conform.fish";

pub(crate) const MAN: &str = "\
Examples:
  # Write all manual pages, then read one
  $ twenty-conform man man/man1
  # Write them where man finds them
  $ twenty-conform man ~/.local/share/man/man1";

/// The statuses of `man`.
pub(crate) const OF_MAN: &str = "\
Exit status:
    0  every page was written
    2  usage error, or a file that is not such a page is in the way
   70  a page could not be written";
