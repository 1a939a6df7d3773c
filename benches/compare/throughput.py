#!/usr/bin/env python3
"""How fast are the load generator, the accounting endpoint and the reference sender, each beside something else?

  throughput.py generator PROGRAM [ROUNDS]   the generator, which signs every delivery, and wrk posting one fixed one, to nginx
  throughput.py oha PROGRAM [ROUNDS]         the generator, and oha posting one fixed delivery, to nginx
  throughput.py endpoint PROGRAM [ROUNDS]    the endpoint, which verifies and accounts, and nginx answering 204, under wrk
  throughput.py sender PROGRAM [ROUNDS]      the reference sender to the endpoint, and wrk to nginx
  throughput.py memory PROGRAM               what the endpoint holds after 10,000 and after 1,000,000 deliveries
  throughput.py rate PROGRAM                 the open loop at half of what saturation gives, for 30 s

PROGRAM is a release build of twenty-conform. Rounds are taken in turns, in the other order in every other one, so that what
else happens on the machine meets both alike; what is told is the median of the rounds' ratios. It needs wrk and
nginx, for one line oha.

Invariant: nothing leaves 127.0.0.1, every load is bounded, and every process that is started here is ended here.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=4096; client_body_buffer_size 64k; location / {{ return 204; }} }} }}
"""
# As many bytes as a delivery of ours has, the same each time: what the server reads is the same work.
HEADERS = {
    "Content-Type": "application/json",
    "X-Twenty-Webhook-Timestamp": "1735066639761",
    "X-Twenty-Webhook-Signature": 4 * "0123456789abcdef",
}
FIXED = 'wrk.method = "POST"\nwrk.body = io.open("{body}"):read("*a")\n'
FIXED += "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in HEADERS.items())
CONNECTIONS = 64
SECONDS = 5
SECRET = "comparison-of-throughput"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@contextlib.contextmanager
def running(command, port, ends_with=signal.SIGTERM):
    """A server, once it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            sys.exit(f"{command[0]} does not listen on 127.0.0.1:{port}")
        yield process
    finally:
        process.send_signal(ends_with)
        process.wait(10)


def nginx(folder, port):
    config = write(os.path.join(folder, "nginx.conf"), NGINX.format(folder=folder, port=port))
    return running(["nginx", "-c", config, "-p", folder], port)


def endpoint(program, port):
    command = [program, "bench", "endpoint", "--port", str(port), "--secret", SECRET, "--window", "0"]
    return running(command + ["--allow", "duplicated,lost", "--threads", "1"], port, signal.SIGINT)


def body(length):
    """A delivery of that many bytes."""
    record = {"id": "20202020-1c25-4d02-bf25-6aeccf7ea419", "firstName": "Alice", "note": ""}
    event = {"event": "person.created", "data": record, "timestamp": "2025-02-10T15:30:50Z"}
    record["note"] = "x" * (length - len(json.dumps(event, separators=(",", ":"))))
    return json.dumps(event, separators=(",", ":"))


def of_wrk(port, script, folder):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script, f"http://127.0.0.1:{port}/"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(told)
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", told)[1])


def of_oha(port, corpus):
    command = ["oha", "--no-tui", "--output-format", "json", "-c", str(CONNECTIONS), "-z", f"{SECONDS}s", "-m", "POST", "-D", corpus]
    command += [word for name, value in HEADERS.items() for word in ("-H", f"{name}: {value}")]
    told = subprocess.run(command + [f"http://127.0.0.1:{port}/"], check=True, capture_output=True, text=True).stdout
    statuses = json.loads(told)["statusCodeDistribution"]
    if set(statuses) != {"204"}:
        sys.exit(f"oha got {statuses}")
    return json.loads(told)["summary"]["requestsPerSec"]


def of_program(folder, command):
    """The report of a benchmark of ours."""
    report = os.path.join(folder, "report.json")
    ran = subprocess.run(command + ["--report", f"json={report}"], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def of_generator(program, port, corpus, folder, *options, seconds=SECONDS):
    command = [program, "bench", "receiver", "--url", f"http://127.0.0.1:{port}/", "--secret", SECRET]
    command += ["--concurrency", str(CONNECTIONS), "--threads", "1", "--duration", f"{seconds}s", "--warm-up", "500ms"]
    return of_program(folder, command + ["--corpus", corpus, "--probe-share", "0%", *options])["total"]


def of_sender(program, folder):
    command = [program, "bench", "sender", "--concurrency", str(CONNECTIONS), "--duration", f"{SECONDS}s"]
    return of_program(folder, command + ["--warm-up", "500ms"])["total"]["rate"]


def in_turns(rounds, ours, others, names, what):
    ratios = []
    for nth in range(rounds):
        if nth % 2 == 0:
            other, own = others(), ours()
        else:
            own, other = ours(), others()
        ratios.append(own / other)
        print(f"round {nth + 1}: {names[0]} {own:.0f}/s, {names[1]} {other:.0f}/s, ratio {ratios[-1]:.3f}", flush=True)
    print(f"{what}: median {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})")


def held(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


def main():
    what, program = sys.argv[1], os.path.abspath(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    for needed in ("wrk", "nginx", *(["oha"] if what == "oha" else [])):
        if shutil.which(needed) is None:
            sys.exit(f"{needed} is needed; install it, as with `apt-get install {needed}`")
    with tempfile.TemporaryDirectory() as folder:
        one, other = free_port(), free_port()
        corpus = write(os.path.join(folder, "body.json"), body(1024))
        fixed = write(os.path.join(folder, "post.lua"), FIXED.format(body=corpus))
        if what == "generator":
            with nginx(folder, one):
                in_turns(rounds, lambda: of_generator(program, one, corpus, folder)["rate"], lambda: of_wrk(one, fixed, folder),
                         ("generator", "wrk"), f"generator over wrk, {CONNECTIONS} connections, 1 KiB, nginx answering 204")
        elif what == "oha":
            with nginx(folder, one):
                in_turns(rounds, lambda: of_generator(program, one, corpus, folder)["rate"], lambda: of_oha(one, corpus),
                         ("generator", "oha"), f"generator over oha, {CONNECTIONS} connections, 1 KiB, nginx answering 204")
        elif what == "endpoint":
            signed = os.path.join(folder, "signed")
            command = [program, "bench", "export", "wrk", signed, "--secret", SECRET, "--corpus", corpus]
            subprocess.run(command, check=True, capture_output=True)
            script = next(os.path.join(signed, name) for name in os.listdir(signed) if name.endswith(".lua"))
            with nginx(folder, one), endpoint(program, other):
                in_turns(rounds, lambda: of_wrk(other, script, signed), lambda: of_wrk(one, script, signed),
                         ("endpoint", "nginx"), f"endpoint over nginx under wrk, {CONNECTIONS} connections, 1 KiB, pre-signed")
        elif what == "sender":
            with nginx(folder, one):
                in_turns(rounds, lambda: of_sender(program, folder), lambda: of_wrk(one, fixed, folder), ("sender", "wrk"),
                         f"reference sender over wrk, {CONNECTIONS} connections")
        elif what == "memory":
            with endpoint(program, one) as process:
                begun, sent = held(process), 0
                for wanted in (10_000, 1_000_000):
                    while sent < wanted:
                        sent += of_generator(program, one, corpus, folder, "--rate", "5000" if wanted == 10_000 else "25000",
                                             seconds=2 if wanted == 10_000 else 10)["acknowledged"]
                    print(f"after {sent} deliveries {held(process):.1f} MiB, after the start {begun:.1f} MiB", flush=True)
        elif what == "rate":
            with endpoint(program, one):
                most = of_generator(program, one, corpus, folder)["rate"]
                asked = int(most / 2)
                told = of_generator(program, one, corpus, folder, "--rate", str(asked), seconds=30)
                print(f"saturation {most:.0f}/s; asked for {asked}/s: {told['rate']:.1f}/s, errors {told['refused'] + told['failed']}, "
                      f"p50 {told['latency']['p50_us']} us, p99 {told['latency']['p99_us']} us from the intended time")
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
