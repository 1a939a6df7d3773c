//! The groups of commands in help, and what help ends with: examples of each command, and the exit statuses.

/// The groups of commands, in the order of help. Each new command needs a place here.
pub(crate) const GROUPS: &[(&str, &[&str])] = &[
    ("Check", &["demo", "receiver", "sender", "doctor"]),
    ("Send and watch", &["send", "listen", "serve"]),
    ("Understand", &["list", "explain", "sign", "verify", "vectors"]),
    ("Saved runs", &["replay", "rejudge", "report", "diff", "merge", "known"]),
    ("Speed", &["bench"]),
    ("Set-up", &["init", "skills", "completions", "man", "help"]),
];

/// The group of commands that the table does not have. Tests demand that it is empty.
pub(crate) const OTHERS: &str = "Others";

pub(crate) const HELP: &str = "\
Examples:
  # Print the help of a command
  $ twenty-conform help bench receiver
  # Print every command and option for a program
  $ twenty-conform help --json";

/// A word after `help` that is none of these commands.
pub(crate) fn no_such_command(name: &str, known: &[String]) -> String {
    match known {
        [] => format!("{name:?} is not a command"),
        known => format!("{name:?} is not a command; the commands are {}", known.join(", ")),
    }
}

const RUN_STATUSES: &str = "\
Exit status:
    0  every gated requirement that applies passed
    1  a gated requirement failed, or the program ended during the run
    2  usage error
    3  incomplete: a gated requirement was inconclusive, or the program was not started or reached
    4  nothing was selected to run
    5  only known failures are wrong: one passes now, has expired, or fails for another cause";

const SLOWER: &str = "    6  slower than a bound or a baseline allows (bench)";

const LAST_STATUSES: &str =
    "   70  the suite itself failed, a sender broke the protocol, or a file could not be written
  130  interrupted; a partial report was written
A requirement is gated if its failure fails the run: the musts, or as --fail-on says.";

const BENCH_STATUSES: &str = "\
Exit status:
    0  every bound is met
    1  an accepted probe or too many errors; late, wrong, lost or duplicated deliveries of a sender
    2  usage error
    3  incomplete: the program was not started or reached, or the noise is too large to decide
    6  slower than a bound or a baseline allows
   70  the suite itself failed, or a report could not be written
  130  interrupted; a partial report was written";

/// The statuses of `doctor`.
pub(crate) const OF_DOCTOR: &str = "\
Exit status:
    0  nothing found that would make a run fail; there may be warnings
    1  a problem that a run would report although it is not the receiver's doing
    2  usage error
    3  the receiver is not reached, nothing arrives, or there was no time for everything
  130  interrupted; what was seen until then is printed

Each row is ok, a warning (some checks would judge what is between), a problem, or not known.";

/// The statuses of `listen`.
pub(crate) const OF_LISTEN: &str = "\
Exit status:
    0  every gated requirement passed in every delivery
    1  a gated requirement failed, a request was malformed, or --forward did not take a delivery
    2  usage error
    3  incomplete: no delivery arrived, or not what was waited for, or a gated requirement was
       inconclusive
   70  a delivery could not be saved or printed
  130  --wait-for was interrupted
A requirement is gated if its failure fails the run: the musts, or as --fail-on says.";

/// The statuses of `rejudge`.
pub(crate) const OF_REJUDGE: &str = "\
Exit status:
    0  every gated requirement that applies passed, as in the run
    1  a gated requirement failed, as in the run
    2  usage error, or the folder is damaged, of another version or of a run that did not end
    3  a gated requirement was inconclusive, as in the run
   70  a verdict differs from the run's own, or a report could not be written";

/// The statuses of `send`.
pub(crate) const OF_SEND: &str = "\
Exit status:
    0  the receiver accepted the delivery (2xx)
    1  the receiver rejected it
    2  usage error
    3  no answer";

/// The statuses of `verify`.
pub(crate) const OF_VERIFY: &str = "\
Exit status:
    0  every signature matches
    1  a signature does not match, or with --at, a timestamp is not fresh
    2  usage error, the input is in no known form, or a body was not recorded

Forms: raw HTTP; a curl command (bash, cmd, PowerShell), Invoke-WebRequest, fetch; HAR; the JSON of ngrok,
webhook.site, Postman, Insomnia, RequestBin and Pipedream; an AWS Lambda event; JSON with headers and a body;
lines of deliveries.jsonl.";

const ENVIRONMENT: &str = "\
Environment and configuration:
  Each option has a variable: --fail-on is TWENTY_CONFORM_FAIL_ON.
  The secret is TWENTY_WEBHOOK_SECRET, an API key TWENTY_API_KEY, the port PORT.
  twenty-conform.toml, in this folder or above, sets options too: fail-on = \"should\" in [receiver].
  The command line counts before variables, then --profile, then the file.";

/// Examples of a command that runs the suite, followed by its exit statuses.
pub(crate) fn with_statuses(examples: &str) -> String {
    with(examples, &[RUN_STATUSES, LAST_STATUSES].join("\n"))
}

/// Examples, followed by these exit statuses.
pub(crate) fn with(examples: &str, statuses: &str) -> String {
    format!("{examples}\n\n{statuses}")
}

/// Examples of a benchmark, followed by its exit statuses.
pub(crate) fn with_bench_statuses(examples: &str) -> String {
    with(examples, BENCH_STATUSES)
}

/// The end of the help of the program itself.
pub(crate) fn program() -> String {
    with(&with(PROGRAM, &[RUN_STATUSES, SLOWER, LAST_STATUSES].join("\n")), ENVIRONMENT)
}

pub(crate) const PROGRAM: &str = "\
Examples:
  # See a whole run, without any set-up
  $ twenty-conform demo
  # Start your receiver, test it, and stop it
  $ twenty-conform receiver --exec 'node server.mjs'
  # Test your sender
  $ twenty-conform sender --exec 'python3 sender.py'
  # Judge the deliveries of a real Twenty as they arrive
  $ twenty-conform listen --port 4000 --secret-file secret.txt";

pub(crate) const DEMO: &str = "\
Examples:
  # Run every check on the built-in sender and receiver
  $ twenty-conform demo
  # Run one requirement with a fixed seed
  $ twenty-conform demo --run VER-1 --seed 42";

pub(crate) const RECEIVER: &str = "\
Examples:
  # Start a receiver, test it, and stop it
  $ twenty-conform receiver --exec 'node server.mjs' --path /webhooks/twenty
  # Test a receiver that already runs
  $ twenty-conform receiver --url http://127.0.0.1:3000/hooks --secret-file secret.txt
  # Run only the checks of signature verification, and fail on should too
  $ twenty-conform receiver --exec 'node server.mjs' --run 'VER-*' --fail-on should
  # Save a JUnit report and the evidence in CI
  $ twenty-conform receiver --exec 'node server.mjs' --report junit=junit.xml --out evidence
  # Run again after each change of the source
  $ twenty-conform receiver --exec 'node server.mjs' --watch src";

pub(crate) const DOCTOR: &str = "\
Examples:
  # See whether a receiver is reached, and what would disturb a run (at most 12 requests)
  $ twenty-conform doctor --url http://127.0.0.1:3000/hooks --secret-file secret.txt
  # The same over HTTPS on another machine, as JSON
  $ twenty-conform doctor --url https://example.com/hooks --allow-remote --secret-file key.txt --json
  # See whether a run on a Twenty can work: its API, the key, and whether it reaches this machine
  $ twenty-conform doctor --twenty http://127.0.0.1:3000 --api-key-file key.txt
  # Measure what a tunnel or proxy changes: stop the receiver on port 3000, and listen there instead
  $ twenty-conform doctor --through https://abc.example.com/hooks --listen-on 3000 --allow-remote";

pub(crate) const SENDER: &str = "\
Examples:
  # Start the adapter of a sender, and test it
  $ twenty-conform sender --exec 'python3 sender.py'
  # Test a sender that is controlled by POST
  $ twenty-conform sender --control http://127.0.0.1:4010/control
  # Test a Twenty, through its REST API; see docs/real-twenty.md
  $ twenty-conform sender --twenty http://127.0.0.1:3000 --api-key-file key.txt
  # List what that would call there, and make no call
  $ twenty-conform sender --twenty http://127.0.0.1:3000 --api-key-file key.txt --dry-run
  # Judge deliveries that were recorded with `listen --out kept`
  $ twenty-conform sender --transcript kept/deliveries.jsonl --secret-file secret.txt";

pub(crate) const LISTEN: &str = "\
Examples:
  # Judge each delivery that arrives on port 4000
  $ twenty-conform listen --port 4000 --secret-file secret.txt
  # Pass deliveries on to your receiver
  $ twenty-conform listen --port 4000 --forward http://127.0.0.1:3000/hooks
  # Save three deliveries and stop
  $ twenty-conform listen --port 4000 --count 3 --out kept
  # Wait for a delivery in a script; one line of JSON, status 0 if it conforms
  $ twenty-conform listen --port 4000 --wait-for 'event=person.updated' --timeout 30s";

pub(crate) const BENCH: &str = "\
Examples:
  # Measure the highest throughput of a receiver
  $ twenty-conform bench receiver --exec 'node server.mjs'
  # Compare two builds on this machine
  $ twenty-conform bench pair --base './server-old' --candidate './server-new'";

pub(crate) const BENCH_RECEIVER: &str = "\
Examples:
  # Send as fast as 64 connections allow
  $ twenty-conform bench receiver --exec 'node server.mjs'
  # Send 500 deliveries per second, and exit with status 6 if the p99 reaches 50 ms
  $ twenty-conform bench receiver --exec 'node server.mjs' --rate 500 --threshold 'p99<50ms'
  # Search for the highest rate that keeps the p99 below 50 ms
  $ twenty-conform bench receiver --exec 'node server.mjs' --find-max 'p99<50ms'
  # Save a baseline, and compare a later run with it
  $ twenty-conform bench receiver --exec 'node server.mjs' --save main
  $ twenty-conform bench receiver --exec 'node server.mjs' --baseline main";

pub(crate) const BENCH_SENDER: &str = "\
Examples:
  # Emit events as fast as their deliveries arrive
  $ twenty-conform bench sender --exec 'python3 sender.py'
  # Emit 1000 events at 200 per second, for four webhooks
  $ twenty-conform bench sender --exec 'python3 sender.py' --events 1000 --rate 200 --webhooks 4";

pub(crate) const BENCH_ENDPOINT: &str = "\
Examples:
  # Count the deliveries of a load until Ctrl-C
  $ twenty-conform bench endpoint --port 4000 --secret-file secret.txt
  # Accept requests that were signed long ago, for one minute
  $ twenty-conform bench endpoint --port 4000 --secret-file secret.txt --window 0 --duration 1m";

pub(crate) const BENCH_COMPARE: &str = "\
Examples:
  # Compare two reports
  $ twenty-conform bench compare old.json new.json
  # Confirm a regression with a second new report
  $ twenty-conform bench compare old.json new.json again.json --max-regression p99=10%";

pub(crate) const BENCH_TREND: &str = "\
Examples:
  # Keep the report of each run
  $ twenty-conform bench receiver --exec 'node server.mjs' --report json=runs/1842.json
  # Find the run since which a figure is worse
  $ twenty-conform bench trend runs";

pub(crate) const BENCH_PAIR: &str = "\
Examples:
  # Compare the throughput of two builds
  $ twenty-conform bench pair --base './server-old' --candidate './server-new'
  # Compare their p99 at 1000 deliveries per second, and allow 10% more
  $ twenty-conform bench pair --base './old' --candidate './new' --rate 1000 --threshold 10%";

pub(crate) const BENCH_DISTRIBUTED: &str = "\
Examples:
  # Send from four locust workers for 30 seconds
  $ twenty-conform bench distributed --exec 'node server.mjs' --workers 4 --duration 30s
  # Use the Python that has locust
  $ twenty-conform bench distributed --exec 'node server.mjs' --python .venv/bin/python";

pub(crate) const BENCH_EXPORT: &str = "\
Examples:
  # Write a locustfile that signs each delivery when it sends it
  $ twenty-conform bench export locust load
  # Write 5000 signed deliveries for wrk
  $ twenty-conform bench export wrk load --secret-file secret.txt --count 5000";

pub(crate) const BENCH_IMPORT: &str = "\
Examples:
  # Show the results of a locust run
  $ twenty-conform bench import results.json
  # Convert locust's own statistics to a JSON report
  $ twenty-conform bench import run_stats.csv --report json=bench.json";

pub(crate) const REJUDGE: &str = "\
Examples:
  # Save a run, and judge it again from its exchanges
  $ twenty-conform receiver --exec 'node server.mjs' --out evidence
  $ twenty-conform rejudge evidence
  # Judge recorded traffic again; its secret is not kept
  $ twenty-conform rejudge evidence --secret-file secret.txt";

pub(crate) const KNOWN: &str = "\
Examples:
  # Run with a list of known failures; they do not fail the run
  $ twenty-conform receiver --exec 'node server.mjs' --known-failures known.toml --out evidence
  # Correct the list: remove what passes now
  $ twenty-conform known fix known.toml evidence
See docs/known-failures.md.";

pub(crate) const KNOWN_SHOW: &str = "\
Examples:
  # Which lists come with the tool
  $ twenty-conform known show
  # What a Twenty 2.31 fails, and what that means for a receiver
  $ twenty-conform known show twenty-2.31

Exit status:
    0  it was shown
    2  usage error, or the list is wrong";

pub(crate) const KNOWN_CHECK: &str = "\
Examples:
  # Check how a list is written, and whether an entry has expired
  $ twenty-conform known check known.toml
  # Check whether each entry still fails for its cause
  $ twenty-conform known check known.toml evidence

Exit status:
    0  every entry is right
    2  usage error, or the list is wrong
    5  an entry has to be corrected";

pub(crate) const KNOWN_FIX: &str = "\
Examples:
  # Remove what passes now, and correct causes
  $ twenty-conform known fix known.toml evidence
  # Begin a list with every failure of a run
  $ twenty-conform known fix known.toml evidence --add
  # Show the change only
  $ twenty-conform known fix known.toml evidence --dry-run

Exit status:
    0  the list is right now
    2  usage error, the list is wrong, or the run does not decide about all of it
    5  an entry has expired, which a run does not decide about
   70  the list could not be written";

pub(crate) const SERVE: &str = "\
Examples:
  # Run the reference receiver on port 3000
  $ twenty-conform serve receiver --port 3000 --secret-file secret.txt
  # Test the reference sender
  $ twenty-conform sender --exec 'twenty-conform serve sender'";

pub(crate) const SERVE_RECEIVER: &str = "\
Examples:
  # Run it on port 3000
  $ twenty-conform serve receiver --port 3000 --secret-file secret.txt
  # Test it
  $ twenty-conform receiver --exec 'twenty-conform serve receiver'";

pub(crate) const SERVE_SENDER: &str = "\
Examples:
  # Test it
  $ twenty-conform sender --exec 'twenty-conform serve sender'
  # Measure it
  $ twenty-conform bench sender --exec 'twenty-conform serve sender'";

pub(crate) const SEND: &str = "\
Examples:
  # Send a sample of person.created
  $ twenty-conform send --url http://127.0.0.1:3000/hooks --secret-file secret.txt
  # Send your own record
  $ twenty-conform send --url http://127.0.0.1:3000/ --event company.updated --data record.json
  # Send a captured request again, with a present timestamp and a new signature
  $ twenty-conform send --url http://127.0.0.1:3000/ --secret-file secret.txt --resign request.http";

pub(crate) const VERIFY: &str = "\
Examples:
  # Verify a captured request: raw HTTP, a curl command, HAR, or the JSON of a tool
  $ twenty-conform verify --secret-file secret.txt request.http
  # Judge its age too
  $ twenty-conform verify --secret-file secret.txt --at now request.http
  # Verify a body with the values of both headers
  $ twenty-conform verify --secret s3cr3t --timestamp 1767323045678 --signature 9f2c body.json";

pub(crate) const LIST: &str = "\
Examples:
  # List every requirement
  $ twenty-conform list
  # List the requirements on receivers
  $ twenty-conform list receiver
  # Print all of it for a program
  $ twenty-conform list --json";

pub(crate) const EXPLAIN: &str = "\
Examples:
  # Explain a requirement
  $ twenty-conform explain VER-16
  # Explain a cause and its fix
  $ twenty-conform explain message.body-alone";
