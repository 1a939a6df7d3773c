package twentyconform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const secret = "s3cr3t"

var now = time.UnixMilli(1767323045678)

// TestMain lets this binary be a program that misbehaves, with the variable FAKE.
func TestMain(m *testing.M) {
	switch os.Getenv("FAKE") {
	case "":
		os.Exit(m.Run())
	case "hangs":
		// The test sees by the connection when this process ends.
		connection, err := net.Dial("tcp", os.Getenv("ADDRESS"))
		if err != nil {
			os.Exit(1)
		}
		_, _ = connection.Write([]byte("."))
		_, _ = io.Copy(io.Discard, connection)
	case "says nothing":
		os.Exit(7)
	case "writes another report":
		for _, one := range os.Args {
			if strings.HasPrefix(one, "--report=json=") {
				_ = os.WriteFile(strings.TrimPrefix(one, "--report=json="), []byte("<report/>"), 0o600)
			}
		}
	case "writes another delivery":
		_, _ = os.Stdout.WriteString("X-Twenty-Webhook-Timestamp: 1\n")
	}
	os.Exit(0)
}

// isValid is a receiver's verification without its faults.
func isValid(r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	timestamps, signatures := r.Header.Values("X-Twenty-Webhook-Timestamp"), r.Header.Values("X-Twenty-Webhook-Signature")
	if err != nil || len(timestamps) != 1 || len(signatures) != 1 || !regexp.MustCompile(`^[0-9]+$`).MatchString(timestamps[0]) {
		return false
	}
	sent, err := strconv.ParseInt(timestamps[0], 10, 64)
	age := time.Since(time.UnixMilli(sent)).Minutes()
	return err == nil && -5 < age && age < 5 && signatures[0] == signature(secret, timestamps[0], body)
}

func signature(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + ":"))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

var conforming http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if !isValid(r) {
		w.WriteHeader(http.StatusUnauthorized)
	}
})

// hanging does not even notice that the sender closes the connection.
var hanging http.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { select {} })

func TestConforms(t *testing.T) {
	t.Setenv("TWENTY_WEBHOOK_SECRET", "another")
	t.Setenv("TWENTY_CONFORM_FAIL_ON", "no level")
	Receiver{Handler: conforming, Secret: secret}.Check(t)
	Receiver{Handler: conforming, Secret: secret, Path: "webhooks/twenty?a=b"}.Check(t)
}

func TestReceiverAtURLConforms(t *testing.T) {
	server := httptest.NewServer(conforming)
	defer server.Close()
	Receiver{URL: server.URL, Secret: secret}.Check(t)
}

func TestTwoChecksAtOnceConform(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Receiver{Handler: conforming, Secret: secret}.Check(t)
		})
	}
}

// Scenarios fail, so they run in another process.
var scenarios = map[string]func(t *testing.T){
	"no program in PATH": func(t *testing.T) {
		t.Setenv("TWENTY_CONFORM", "")
		t.Setenv("PATH", "")
		Receiver{Handler: conforming, Secret: secret}.Check(t)
	},
	"no program at variable": func(t *testing.T) {
		t.Setenv("TWENTY_CONFORM", "/nowhere/twenty-conform")
		SignedRequest(t, "person.created", secret, now)
	},
	"no program": func(t *testing.T) {
		Receiver{Handler: conforming, Secret: secret, Program: "/nowhere/twenty-conform"}.Check(t)
	},
	"no executable": func(t *testing.T) {
		path := t.TempDir() + "/twenty-conform.exe"
		if err := os.WriteFile(path, []byte{0x7f}, 0o700); err != nil {
			t.Fatal(err)
		}
		SignedRequest(t, "person.created", secret, now, Program(path))
	},
	"nothing listens": func(t *testing.T) {
		server := httptest.NewServer(conforming)
		server.Close()
		Receiver{URL: server.URL, Secret: secret}.Check(t)
	},
	"hangs for two minutes": func(t *testing.T) { Receiver{Handler: hanging, Secret: secret}.Check(t) },
	"hangs": func(t *testing.T) {
		Receiver{Handler: hanging, Secret: secret, Timeout: time.Second}.Check(t)
	},
	"does not answer": func(t *testing.T) {
		Receiver{Handler: hanging, Secret: secret, Args: []string{"--timeout", "200ms"}}.Check(t)
	},
	"nothing is judged": func(t *testing.T) {
		Receiver{Handler: hanging, Secret: secret, Args: []string{"--max-time", "500ms", "--timeout=300ms"}}.Check(t)
	},
	"panics": func(t *testing.T) {
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		Receiver{Handler: handler, Secret: secret}.Check(t)
	},
	"neither handler nor URL": func(t *testing.T) { Receiver{Secret: secret}.Check(t) },
	"handler and URL":         func(t *testing.T) { Receiver{Handler: conforming, URL: "http://127.0.0.1:1/", Secret: secret}.Check(t) },
	"URL and path":            func(t *testing.T) { Receiver{URL: "http://127.0.0.1:1/", Path: "/hook", Secret: secret}.Check(t) },
	"no URL":                  func(t *testing.T) { Receiver{URL: "http://", Secret: secret}.Check(t) },
	"other machine":           func(t *testing.T) { Receiver{URL: "http://twenty.example/", Secret: secret}.Check(t) },
	"no level":                func(t *testing.T) { Receiver{Handler: conforming, Secret: secret, Level: "all"}.Check(t) },
	"no option":               func(t *testing.T) { Receiver{Handler: conforming, Secret: secret, Args: []string{"--fast"}}.Check(t) },
	"no secret":               func(t *testing.T) { Receiver{Handler: conforming}.Check(t) },
	"NUL in secret":           func(t *testing.T) { SignedRequest(t, "person.created", "a\x00", now) },
	"secret is not UTF-8":     func(t *testing.T) { SignedRequest(t, "person.created", "\xff", now) },
	"no cause":                func(t *testing.T) { Broken(t, "accepts.anything", "person.created", secret, now) },
	"no event":                func(t *testing.T) { SignedRequest(t, "person", secret, now) },
	"no JSON":                 func(t *testing.T) { SignedRequest(t, make(chan int), secret, now) },
	"no dialect":              func(t *testing.T) { SignedRequest(t, "person.created", secret, now, Dialect("new")) },
	"before 1970":             func(t *testing.T) { SignedRequest(t, "person.created", secret, time.Time{}) },
	"says nothing":            func(t *testing.T) { asProgram("says nothing").Check(t) },
	"another report":          func(t *testing.T) { asProgram("writes another report").Check(t) },
	"another delivery": func(t *testing.T) {
		SignedRequest(t, "person.created", secret, now, Program(asProgram("writes another delivery").Program))
	},
	"wrong secret": func(t *testing.T) { Receiver{Handler: conforming, Secret: "other"}.Check(t) },
	"should fails": func(t *testing.T) {
		Receiver{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isValid(r) {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}), Secret: secret, Level: "should", Args: []string{"--fail-on", "must"}}.Check(t)
	},
	"should is gated": func(t *testing.T) {
		Receiver{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isValid(r) {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}), Secret: secret, Level: "should"}.Check(t)
	},
	"program hangs": func(t *testing.T) { asProgram("hangs").Check(t) },
	"program hangs in two checks": func(t *testing.T) {
		receiver := asProgram("hangs")
		for _, name := range []string{"first", "second"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				receiver.Check(t)
			})
		}
	},
	"program hangs while another test panics": func(t *testing.T) {
		go func() {
			// Its end says that the program runs.
			_, _ = io.Copy(io.Discard, os.Stdin)
			panic("another test")
		}()
		asProgram("hangs").Check(t)
	},
}

// asProgram returns a receiver whose program is this binary. A scenario has its process for itself.
func asProgram(fake string) Receiver {
	os.Setenv("FAKE", fake)
	return Receiver{Handler: conforming, Secret: secret, Program: os.Args[0]}
}

func TestScenario(t *testing.T) {
	scenario, isAsked := scenarios[os.Getenv("SCENARIO")]
	if !isAsked {
		t.Skip("run by other tests")
	}
	scenario(t)
}

// command runs a scenario in a process of its own, with further variables.
func command(scenario string, variables []string, arguments ...string) *exec.Cmd {
	made := exec.Command(os.Args[0], append([]string{"-test.run=^TestScenario$"}, arguments...)...)
	made.Env = append(append(os.Environ(), "SCENARIO="+scenario), variables...)
	return made
}

func TestErrorIsOneLineThatSaysWhatToDo(t *testing.T) {
	cases := map[string]string{
		"no program in PATH": "twenty-conform is not in PATH; install it, for example with pip or npm, " +
			"or set the variable TWENTY_CONFORM to its path",
		"no program at variable":  "the variable TWENTY_CONFORM has no path of a program: .*/nowhere/twenty-conform.*",
		"no program":              "Program has no path of a program: .*/nowhere/twenty-conform.*",
		"no executable":           "twenty-conform cannot be run: .*; install the one for this system",
		"nothing listens":         "the receiver at http://127.0.0.1:[0-9]+/? cannot be reached: .*; start it before the test, or .*",
		"hangs":                   "the run did not end within 1s; if the receiver answers, give a longer Timeout, or fewer cases: Args: .*",
		"neither handler nor URL": "give Receiver either Handler or URL",
		"handler and URL":         "give Receiver either Handler or URL",
		"URL and path":            "Path is for a Handler; with URL, make it part of URL",
		"no URL":                  `"http://" is not a URL: .*`,
		"other machine":           "twenty.example:80 is not this machine; to send to it anyway, add --allow-remote",
		"no level":                "invalid value 'all' for '--level <LEVEL>' .possible values: must, should, advice.",
		"no option":               "unexpected argument '--fast' found.*",
		"no secret":               "the secret is empty; give the one that the receiver verifies with",
		"NUL in secret":           "the secret has a NUL character, with which twenty-conform cannot be run",
		"secret is not UTF-8":     "the variable TWENTY_WEBHOOK_SECRET is not UTF-8; set it to text, or unset it",
		"no cause":                `"accepts.anything" is no cause; did you mean accepts.everything\?`,
		"no event":                `there is no sample of the event "person"; give the body itself, or one of .*person.created.*`,
		"no JSON":                 "the event is neither a name nor a body, and JSON has no form of it: .*",
		"no dialect":              "invalid value 'new' for '--dialect <DIALECT>' .possible values: auto, documented, shipped.",
		"before 1970":             `the time "-[0-9]+" is not a number of milliseconds.*`,
		"says nothing":            "twenty-conform ended without a result: exit status 7",
		"another report":          "the report of twenty-conform cannot be read; use the file twentyconform.go of its version: .*",
		"another delivery":        "the delivery of twenty-conform cannot be read; use the file twentyconform.go of its version: .*",
	}
	for scenario, expected := range cases {
		scenario, expected := scenario, expected
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			said, err := command(scenario, []string{"CLICOLOR_FORCE=1"}).CombinedOutput()
			whole := `^--- FAIL: TestScenario \(.*\)\n    twentyconform_test.go:[0-9]+: ` + expected + `\nFAIL\n$`
			if err == nil || !regexp.MustCompile(whole).Match(said) {
				t.Fatalf("%v, expected %s:\n%s", err, expected, said)
			}
		})
	}
}

func TestOutputOfRunsThatDoNotPass(t *testing.T) {
	cases := map[string][]string{
		"does not answer":   {"--- FAIL: TestScenario/RCV-1_accepts_valid_deliveries", "no answer in time"},
		"nothing is judged": {"--- FAIL: TestScenario ", "the receiver does not conform: incomplete", " inconclusive, the first: RCV-1 "},
		"panics":            {"--- FAIL: TestScenario/RCV-1_accepts_valid_deliveries"},
		"wrong secret":      {"--- FAIL: TestScenario/RCV-1_accepts_valid_deliveries", "  fix       ", "again: Args: []string{\"--seed\", \""},
		"should is gated":   {"--- FAIL: TestScenario/VER-9_refuses_with_4xx"},
		"should fails":      {"--- PASS: TestScenario ", "--- SKIP: TestScenario/", "does not fail the run, because it is only a should"},
	}
	for scenario, expected := range cases {
		scenario, expected := scenario, expected
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			said, _ := command(scenario, nil, "-test.v").CombinedOutput()
			for _, part := range expected {
				if !strings.Contains(string(said), part) {
					t.Errorf("%q is not in:\n%s", part, said)
				}
			}
		})
	}
}

func TestRunEndsBeforeGoTestPanics(t *testing.T) {
	said, err := command("hangs for two minutes", nil, "-test.timeout=5s").CombinedOutput()
	if err == nil || !strings.Contains(string(said), "before go test's own time-out; give it more time: go test -timeout 10m\n") {
		t.Fatalf("%v:\n%s", err, said)
	}
	said, err = command("hangs for two minutes", nil, "-test.timeout=3s").CombinedOutput()
	if err == nil || !strings.Contains(string(said), "before go test's own time-out") {
		t.Fatalf("%v:\n%s", err, said)
	}
}

func TestProgramHasEndedWhenCheckReturns(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("ADDRESS", listener.Addr().String())
	t.Setenv("FAKE", "hangs")
	_, err = Receiver{Handler: conforming, Secret: secret, Program: os.Args[0], Timeout: 2 * time.Second}.run(time.Time{})
	if err == nil || !strings.Contains(err.Error(), "did not end within 2s") {
		t.Fatal(err)
	}
	program, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	assertEnded(t, program)
}

// assertEnded fails unless the program at the other end of a connection has ended.
func assertEnded(t *testing.T, program net.Conn) {
	t.Helper()
	_ = program.SetReadDeadline(time.Now().Add(2 * time.Second))
	for {
		_, err := program.Read(make([]byte, 1))
		if os.IsTimeout(err) {
			t.Error("the program still runs")
		}
		if err != nil {
			return
		}
	}
}

// However the test ends, twenty-conform ends with it.
func TestLeavesNoProcess(t *testing.T) {
	cases := []struct {
		name, scenario string
		programs       int
		signal         os.Signal
		end            string
		isLinux        bool
	}{
		{"go test's time-out", "program hangs", 1, nil, "exit status 1", false},
		{"interrupted", "program hangs", 1, os.Interrupt, "signal: interrupt", false},
		{"terminated", "program hangs", 1, syscall.SIGTERM, "signal: terminated", false},
		{"two checks interrupted", "program hangs in two checks", 2, os.Interrupt, "signal: interrupt", false},
		{"killed", "program hangs", 1, os.Kill, "signal: killed", true},
		{"panic of another test", "program hangs while another test panics", 1, nil, "exit status 2", true},
	}
	for _, one := range cases {
		one := one
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			if one.isLinux && runtime.GOOS != "linux" || one.signal != nil && runtime.GOOS == "windows" {
				t.Skip("not on " + runtime.GOOS)
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			_ = listener.(*net.TCPListener).SetDeadline(time.Now().Add(30 * time.Second))
			temporary := t.TempDir()
			variables := []string{"ADDRESS=" + listener.Addr().String(), "TMPDIR=" + temporary}
			test := command(one.scenario, variables, "-test.timeout=8s")
			stdin, err := test.StdinPipe()
			if err == nil {
				err = test.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			var programs []net.Conn
			for len(programs) < one.programs {
				program, err := listener.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer program.Close()
				_, _ = io.ReadFull(program, make([]byte, 1))
				programs = append(programs, program)
			}
			_ = stdin.Close()
			if one.signal != nil {
				_ = test.Process.Signal(one.signal)
			}
			if err := test.Wait(); err == nil || err.Error() != one.end {
				t.Errorf("ended with %v, expected %s", err, one.end)
			}
			for _, program := range programs {
				assertEnded(t, program)
			}
			if left, _ := os.ReadDir(temporary); len(left) > 0 && !one.isLinux {
				t.Errorf("%s is left", left[0].Name())
			}
		})
	}
}

func TestSignedRequestIsSignedAtItsTime(t *testing.T) {
	t.Setenv("TWENTY_WEBHOOK_SECRET", "another")
	t.Setenv("TWENTY_CONFORM_TIMESTAMP", "another")
	t.Setenv("TWENTY_CONFORM_DIALECT", "another")
	delivery := SignedRequest(t, "person.created", "sécret", now)
	timestamp := delivery.Header.Get("X-Twenty-Webhook-Timestamp")
	if timestamp != "1767323045678" {
		t.Error(timestamp)
	}
	if delivery.Header.Get("X-Twenty-Webhook-Signature") != signature("sécret", timestamp, delivery.Body) {
		t.Error("signed otherwise")
	}
	var body map[string]any
	if err := json.Unmarshal(delivery.Body, &body); err != nil || body["event"] != "person.created" {
		t.Errorf("%v, %s", err, delivery.Body)
	}
	shipped := SignedRequest(t, "person.created", secret, now, Dialect("shipped"))
	if !strings.Contains(string(shipped.Body), `"eventName":"person.created"`) {
		t.Errorf("%s", shipped.Body)
	}
}

func TestBodyIsSentUnchanged(t *testing.T) {
	cases := map[string]struct {
		event any
		body  string
	}{
		"text":               {`{ "a": "<é>" }`, `{ "a": "<é>" }`},
		"raw text":           {"\n\t{}\n", "\n\t{}\n"},
		"bytes":              {[]byte(" [1] "), " [1] "},
		"bytes not UTF-8":    {[]byte("{\"a\":\"\xff\"}"), "{\"a\":\"\xff\"}"},
		"no bytes":           {[]byte{}, ""},
		"bytes that are nil": {[]byte(nil), ""},
		"raw message":        {json.RawMessage(`{ "a": 1 }`), `{ "a": 1 }`},
		"structure": {struct {
			Event string `json:"event"`
		}{"person.created"}, `{"event":"person.created"}`},
		"nil": {nil, "null"},
	}
	for name, one := range cases {
		t.Run(name, func(t *testing.T) {
			delivery := SignedRequest(t, one.event, secret, now)
			if string(delivery.Body) != one.body {
				t.Errorf("%q", delivery.Body)
			}
			if delivery.Header.Get("X-Twenty-Webhook-Signature") != signature(secret, "1767323045678", []byte(one.body)) {
				t.Error("signed otherwise")
			}
		})
	}
}

func TestBrokenIsRejected(t *testing.T) {
	for _, event := range []any{"company.updated", `{"a":1}`} {
		for _, cause := range []string{"accepts.stale", "accepts.unsigned", "header.duplicate", "message.body-alone"} {
			delivery := Broken(t, cause, event, secret, time.Now())
			if isValid(delivery.Request("/")) {
				t.Error(cause)
			}
		}
	}
	if header := Broken(t, "header.duplicate", "person.created", secret, now).Header; len(header["X-Twenty-Webhook-Signature"]) != 2 {
		t.Error(header)
	}
	signature := Broken(t, "crash.header-bytes", "person.created", secret, now).Header.Get("X-Twenty-Webhook-Signature")
	if signature != strings.Repeat("\xe9", 64) {
		t.Errorf("%q", signature)
	}
}

func TestRequestCanBeMadeAgain(t *testing.T) {
	delivery := SignedRequest(t, "person.created", secret, time.Now())
	for _, target := range []string{"/webhooks/twenty", "http://127.0.0.1:3000/"} {
		request := delivery.Request(target)
		if request.Method != http.MethodPost || request.ContentLength != int64(len(delivery.Body)) || !isValid(request) {
			t.Errorf("%s: %+v", target, request)
		}
		request.Header.Del("X-Twenty-Webhook-Signature")
	}
}
