//! `localhost` is this machine, whatever the file of hosts says, and an address for servers is no target.
//!
//! Invariant: nothing is sent to another machine without `--allow-remote`.

use super::program::run;

#[cfg(target_os = "linux")]
#[test]
fn localhost_is_this_machine_if_the_file_of_hosts_names_another() {
    use super::program::{finish, serve_receiver};
    use crate::skip::skip_for_rights;

    let folder = tempfile::TempDir::new().unwrap();
    // An address for documentation, which no machine has.
    std::fs::write(folder.path().join("hosts"), "192.0.2.1 localhost a.localhost\n").unwrap();
    let served = serve_receiver("s3cr3t");
    let port = served.url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let script = r#"mount --bind "$0/hosts" /etc/hosts && getent hosts localhost || exit 99
        for host in localhost LOCALHOST localhost. a.localhost; do
            "$1" send --url "http://$host:$2/" --secret s3cr3t; echo "status $?"
        done"#;
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(folder.path());
    command.arg(assert_cmd::cargo::cargo_bin!("twenty-conform")).arg(port);
    let ran = finish(command);
    if ran.status == Some(99) || ran.status == Some(1) {
        return skip_for_rights("a file of hosts of its own", ran.stderr.trim());
    }
    assert!(ran.stdout.starts_with("192.0.2.1"), "{ran:?}");
    assert_eq!(ran.stdout.matches("status 0\n").count(), 4, "{ran:?}");
}

#[test]
fn address_for_servers_is_no_target() {
    for (address, instead) in
        [("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]"), ("0", "127.0.0.1"), ("[::ffff:0.0.0.0]", "127.0.0.1")]
    {
        let url = format!("http://{address}:9/");
        for command in [
            &["send", "--url", &url, "--secret", "x", "--allow-remote"][..],
            &["receiver", "--url", &url, "--secret", "x"],
            &["receiver", "--exec", "x", "--observe", &url],
            &["sender", "--control", &url],
            &["listen", "--forward", &url],
            &["bench", "receiver", "--url", &url, "--secret", "x"],
            &["bench", "sender", "--control", &url],
        ] {
            run(command).expect(2).complains_of(&["is an address to listen on", &format!("write {instead}")]);
        }
    }
}

#[test]
fn another_machine_needs_allow_remote() {
    for host in ["192.0.2.1", "localhost.example", "[::ffff:192.0.2.1]", "[::2]"] {
        let url = format!("http://{host}:9/");
        run(["send", "--url", &url, "--secret", "x"]).expect(2).complains_of(&["--allow-remote"]);
    }
}
