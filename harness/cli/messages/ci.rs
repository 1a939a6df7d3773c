//! The texts of the files for CI.

/// What a file of `init` begins with.
pub(in crate::cli) const MARK: &str = "# Written by `twenty-conform init`";

/// The image of a job, which has the compiler that the package needs.
const IMAGE: &str = concat!("rust:", env!("CARGO_PKG_RUST_VERSION"));

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Actions by commit, with the version for readers.
const CHECKOUT: &str = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2";
const UPLOAD: &str = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2";

/// Where the source is: there is no published package.
const SOURCE: &str = "The folder twenty-conform is a Git submodule with its repository.";

/// The commands that install the program, in this version.
fn install() -> [String; 2] {
    [
        "cargo install --locked --path twenty-conform".to_owned(),
        format!("twenty-conform --version | grep -F 'twenty-conform {VERSION}'"),
    ]
}

/// A job that checks a program.
pub(in crate::cli) struct Job<'a> {
    /// The command of twenty-conform: `receiver` or `sender`.
    pub(in crate::cli) role: &'a str,
    /// The command that starts the program in the background, and the URL where it then answers.
    pub(in crate::cli) start: Option<(&'a str, String)>,
    /// The port that the program gets.
    pub(in crate::cli) port: Option<u16>,
    /// Whether the program has a secret that the run must know.
    pub(in crate::cli) needs_secret: bool,
}

impl Job<'_> {
    /// The file of what the program in the background writes.
    fn log(&self) -> String {
        format!("{}.log", self.role)
    }

    /// The lines that start the program and wait until it answers.
    fn starting(&self) -> Vec<String> {
        let Some((command, url)) = &self.start else { return Vec::new() };
        vec![
            "(".to_owned(),
            format!("  {command}"),
            format!(") > {} 2>&1 &", self.log()),
            format!(
                "for attempt in $(seq 60); do curl --silent --output /dev/null {url} && break; sleep 1; done"
            ),
        ]
    }

    fn check(&self) -> String {
        format!("twenty-conform {} --report junit=twenty-conform.xml --out twenty-conform-run", self.role)
    }

    /// What is kept of a run.
    fn kept(&self) -> Vec<String> {
        let log = self.start.as_ref().map(|_| self.log());
        ["twenty-conform.xml", "twenty-conform-run"].map(str::to_owned).into_iter().chain(log).collect()
    }
}

/// Lines, each after this margin.
fn indented(lines: &[String], margin: usize) -> String {
    lines.iter().map(|line| format!("{:margin$}{line}\n", "")).collect()
}

fn heading(job: &Job<'_>) -> String {
    format!(
        "{MARK}. The options of the run are in twenty-conform.toml.\n# The status of `twenty-conform {}` decides whether the job passes.\n",
        job.role
    )
}

/// A workflow of GitHub.
pub(in crate::cli) fn github(job: &Job<'_>) -> String {
    let mut text = heading(job);
    text.push_str(
        "\
name: twenty-conform
on:
  push:
  pull_request:
permissions:
  contents: read
jobs:
  webhooks:
    runs-on: ubuntu-24.04
    timeout-minutes: 20
",
    );
    let mut environment = Vec::new();
    if job.needs_secret {
        environment.push("# The secret of the receiver, from the settings of the repository.".to_owned());
        environment.push("TWENTY_WEBHOOK_SECRET: ${{ secrets.TWENTY_WEBHOOK_SECRET }}".to_owned());
    }
    if let Some(port) = job.port.filter(|_| job.start.is_some()) {
        environment.push(format!("PORT: \"{port}\""));
    }
    if !environment.is_empty() {
        text.push_str(&format!("    env:\n{}", indented(&environment, 6)));
    }
    text.push_str(&format!(
        "    steps:\n      - uses: {CHECKOUT}\n        with:\n          persist-credentials: false\n          submodules: true\n"
    ));
    text.push_str(
        "      # Add the steps that your program needs here, such as its runtime and its dependencies.\n",
    );
    text.push_str(&format!("      # {}\n", SOURCE));
    text.push_str(&format!(
        "      - name: Install twenty-conform\n        run: |\n{}",
        indented(&install(), 10)
    ));
    if job.start.is_some() {
        text.push_str(&format!(
            "      - name: Start the {}\n        run: |\n{}",
            job.role,
            indented(&job.starting(), 10)
        ));
    }
    text.push_str(&format!(
        "      # Failures are annotations and a step summary too.\n      - name: Check the {}\n        run: {}\n",
        job.role,
        job.check()
    ));
    text.push_str(&format!(
        "      - name: Keep the run\n        if: always()\n        uses: {UPLOAD}\n        with:\n          name: twenty-conform\n          if-no-files-found: ignore\n          path: |\n{}",
        indented(&job.kept(), 12)
    ));
    text
}

/// A job of GitLab.
pub(in crate::cli) fn gitlab(job: &Job<'_>) -> String {
    let mut text = heading(job);
    if job.needs_secret {
        text.push_str(
            "# TWENTY_WEBHOOK_SECRET is a masked variable of the project: the secret of the receiver.\n",
        );
    }
    text.push_str(&format!(
        "webhooks:\n  # Use an image that has what your program needs, and Rust to install twenty-conform.\n  image: {IMAGE}\n  timeout: 20 minutes\n"
    ));
    let port = job.port.filter(|_| job.start.is_some()).map(|port| format!("PORT: \"{port}\""));
    let submodules = "GIT_SUBMODULE_STRATEGY: normal".to_owned();
    let variables: Vec<String> = port.into_iter().chain([submodules]).collect();
    text.push_str(&format!("  variables:\n{}", indented(&variables, 4)));
    text.push_str(&format!("  script:\n    # {}\n", SOURCE));
    text.push_str(&format!("    - |\n{}", indented(&install(), 6)));
    if job.start.is_some() {
        text.push_str(&format!("    - |\n{}", indented(&job.starting(), 6)));
    }
    text.push_str(&format!("    - {}\n", job.check()));
    let kept: Vec<String> = job.kept().into_iter().map(|path| format!("- {path}")).collect();
    text.push_str(&format!(
        "  artifacts:\n    when: always\n    paths:\n{}    reports:\n      junit: twenty-conform.xml\n",
        indented(&kept, 6)
    ));
    text
}
