#!/usr/bin/env python3
"""Compares the throughput of the load generator, the accounting endpoint, the reference sender and `listen` with other programs.

  throughput.py generator PROGRAM [ROUNDS]   the generator, which signs every delivery, vs. wrk posting a fixed one, to nginx
  throughput.py oha PROGRAM [ROUNDS]         the generator vs. oha posting a fixed delivery, to nginx
  throughput.py endpoint PROGRAM [ROUNDS]    the endpoint, which verifies and counts, vs. nginx answering 204, under wrk
  throughput.py sender PROGRAM [ROUNDS]      the reference sender to the endpoint vs. wrk to nginx
  throughput.py listen PROGRAM [ROUNDS] [OTHER]   `listen --out` vs. that of another build, or vs. `listen` without --out
  throughput.py memory PROGRAM               memory of the endpoint after 10,000 and after 1,000,000 deliveries
  throughput.py rate PROGRAM                 an open loop at half of the saturation rate, for 30 s

PROGRAM is a release build of twenty-conform. Each round measures both sides, in alternating order, so that other work on the
machine affects both equally. The result is the median ratio. The script needs wrk and nginx, and oha for one comparison; `listen`
needs none of them.

All traffic stays on 127.0.0.1, every load is bounded, and every process is stopped at the end.
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
# As large as a real delivery, so that the server reads as much.
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
    """Runs a server, once it listens."""
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
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(output)
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output)[1])


def of_oha(port, corpus):
    command = ["oha", "--no-tui", "--output-format", "json", "-c", str(CONNECTIONS), "-z", f"{SECONDS}s", "-m", "POST", "-D", corpus]
    command += [word for name, value in HEADERS.items() for word in ("-H", f"{name}: {value}")]
    output = subprocess.run(command + [f"http://127.0.0.1:{port}/"], check=True, capture_output=True, text=True).stdout
    statuses = json.loads(output)["statusCodeDistribution"]
    if set(statuses) != {"204"}:
        sys.exit(f"oha got other statuses than 204: {statuses}")
    return json.loads(output)["summary"]["requestsPerSec"]


def of_program(folder, command):
    """Runs a benchmark of twenty-conform. Returns its report."""
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


def of_listen(program, generator, corpus, folder, *options):
    """The deliveries per second that `listen` answers, all signed."""
    port = free_port()
    command = [program, "listen", "--port", str(port), "--secret", SECRET, "--json", *options]
    with running(command, port, signal.SIGINT):
        return of_generator(generator, port, corpus, folder, seconds=2)["rate"]


def of_saving_listen(program, generator, corpus, folder):
    # Not removed until the end: ext4 is slow to create files where many were just removed.
    return of_listen(program, generator, corpus, folder, "--out", tempfile.mkdtemp(dir=folder))


def compare(rounds, measure_own, measure_other, names, what):
    ratios = []
    for nth in range(rounds):
        if nth % 2 == 0:
            other, own = measure_other(), measure_own()
        else:
            own, other = measure_own(), measure_other()
        ratios.append(own / other)
        print(f"round {nth + 1}: {names[0]} {own:.0f}/s, {names[1]} {other:.0f}/s, ratio {ratios[-1]:.3f}", flush=True)
    print(f"{what}: median ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def resident_mib(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


def main():
    what, program = sys.argv[1], os.path.abspath(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    for needed in () if what == "listen" else ("wrk", "nginx", *(["oha"] if what == "oha" else [])):
        if shutil.which(needed) is None:
            sys.exit(f"{needed} is not installed; install it, for example with `apt-get install {needed}`")
    with tempfile.TemporaryDirectory() as folder:
        one, other = free_port(), free_port()
        corpus = write(os.path.join(folder, "body.json"), body(1024))
        fixed = write(os.path.join(folder, "post.lua"), FIXED.format(body=corpus))
        if what == "generator":
            with nginx(folder, one):
                compare(rounds, lambda: of_generator(program, one, corpus, folder)["rate"], lambda: of_wrk(one, fixed, folder),
                         ("generator", "wrk"), f"generator vs. wrk, {CONNECTIONS} connections, 1 KiB, nginx answering 204")
        elif what == "oha":
            with nginx(folder, one):
                compare(rounds, lambda: of_generator(program, one, corpus, folder)["rate"], lambda: of_oha(one, corpus),
                         ("generator", "oha"), f"generator vs. oha, {CONNECTIONS} connections, 1 KiB, nginx answering 204")
        elif what == "endpoint":
            signed = os.path.join(folder, "signed")
            command = [program, "bench", "export", "wrk", signed, "--secret", SECRET, "--corpus", corpus]
            subprocess.run(command, check=True, capture_output=True)
            script = next(os.path.join(signed, name) for name in os.listdir(signed) if name.endswith(".lua"))
            with nginx(folder, one), endpoint(program, other):
                compare(rounds, lambda: of_wrk(other, script, signed), lambda: of_wrk(one, script, signed),
                         ("endpoint", "nginx"), f"endpoint vs. nginx under wrk, {CONNECTIONS} connections, 1 KiB, pre-signed")
        elif what == "sender":
            with nginx(folder, one):
                compare(rounds, lambda: of_sender(program, folder), lambda: of_wrk(one, fixed, folder), ("sender", "wrk"),
                         f"reference sender vs. wrk, {CONNECTIONS} connections")
        elif what == "listen":
            before = os.path.abspath(sys.argv[4]) if len(sys.argv) > 4 else None
            saves = lambda one: of_saving_listen(one, program, corpus, folder)
            compare(rounds, lambda: saves(program), lambda: saves(before) if before else of_listen(program, program, corpus, folder),
                     ("listen --out", "the other"), f"listen --out, {CONNECTIONS} connections, 1 KiB, signed")
        elif what == "memory":
            with endpoint(program, one) as process:
                at_start, sent = resident_mib(process), 0
                for wanted in (10_000, 1_000_000):
                    while sent < wanted:
                        sent += of_generator(program, one, corpus, folder, "--rate", "5000" if wanted == 10_000 else "25000",
                                             seconds=2 if wanted == 10_000 else 10)["acknowledged"]
                    print(f"{resident_mib(process):.1f} MiB after {sent} deliveries, {at_start:.1f} MiB at the start", flush=True)
        elif what == "rate":
            with endpoint(program, one):
                most = of_generator(program, one, corpus, folder)["rate"]
                planned = int(most / 2)
                total = of_generator(program, one, corpus, folder, "--rate", str(planned), seconds=30)
                print(f"saturation {most:.0f}/s; planned {planned}/s: {total['rate']:.1f}/s, {total['refused'] + total['failed']} errors, "
                      f"p50 {total['latency']['p50_us']} us, p99 {total['latency']['p99_us']} us from the planned time")
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
