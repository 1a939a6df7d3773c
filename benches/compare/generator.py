#!/usr/bin/env python3
"""How many requests a second does the load generator make, beside wrk, against the same nginx?

Rounds are taken in turns, so that whatever else happens on the machine meets both alike; what is told is the median of the
rounds' ratios. wrk posts one fixed body; the generator signs every delivery anew. It needs wrk and nginx, and a release
build of twenty-conform: `python3 benches/compare/generator.py target/release/twenty-conform [ROUNDS]`.

Invariant: nothing leaves 127.0.0.1, and every process that is started here is ended here.
"""

import json
import os
import re
import shutil
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
WRK = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = io.open("{body}"):read("*a")\n'
CONNECTIONS = 64
SECONDS = 5


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on 127.0.0.1:{port}")


def body(length):
    """A delivery of about that many bytes."""
    record = {"id": "20202020-1c25-4d02-bf25-6aeccf7ea419", "firstName": "Alice", "note": ""}
    event = {"event": "person.created", "data": record, "timestamp": "2025-02-10T15:30:50Z"}
    record["note"] = "x" * (length - len(json.dumps(event, separators=(",", ":"))))
    return json.dumps(event, separators=(",", ":"))


def of_wrk(url, script):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script, url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(told)
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", told)[1])


def of_generator(program, url, corpus, folder):
    report = os.path.join(folder, "report.json")
    command = [program, "bench", "receiver", "--url", url, "--secret", "comparison", "--corpus", corpus]
    command += ["--concurrency", str(CONNECTIONS), "--threads", "1", "--duration", f"{SECONDS}s", "--warm-up", "500ms"]
    command += ["--probe-share", "0%", "--report", f"json={report}"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    with open(report, encoding="utf-8") as file:
        told = json.load(file)
    return told["total"]["rate"]


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for needed in ("wrk", "nginx"):
        if shutil.which(needed) is None:
            sys.exit(f"{needed} is needed; install it, as with `apt-get install {needed}`")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        corpus, script, config = (os.path.join(folder, name) for name in ("body.json", "post.lua", "nginx.conf"))
        for name, text in ((corpus, body(1024)), (script, WRK.format(body=corpus)), (config, NGINX.format(folder=folder, port=port))):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
        nginx = subprocess.Popen(["nginx", "-c", config, "-p", folder], stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            url = f"http://127.0.0.1:{port}/"
            ratios = []
            for nth in range(rounds):
                # The other way round in every other one.
                pair = {}
                for which in ("wrk", "generator") if nth % 2 == 0 else ("generator", "wrk"):
                    pair[which] = of_wrk(url, script) if which == "wrk" else of_generator(program, url, corpus, folder)
                ratios.append(pair["generator"] / pair["wrk"])
                print(f"round {nth + 1}: wrk {pair['wrk']:.0f}/s, generator {pair['generator']:.0f}/s, ratio {ratios[-1]:.3f}", flush=True)
            print(f"generator over wrk, {CONNECTIONS} connections, 1 KiB: median {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})")
        finally:
            nginx.terminate()
            nginx.wait()


if __name__ == "__main__":
    main()
