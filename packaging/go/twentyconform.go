// Package twentyconform tests receivers of Twenty CRM's webhooks with the program twenty-conform.
//
// Receiver runs its checks, each requirement as a subtest:
//
//	func TestConforms(t *testing.T) {
//		twentyconform.Receiver{Handler: handler, Path: "/webhooks/twenty", Secret: secret}.Check(t)
//	}
//
// SignedRequest and Broken make single deliveries for unit tests, which need no server:
//
//	func TestRejectsStaleDelivery(t *testing.T) {
//		delivery := twentyconform.Broken(t, "accepts.stale", "person.created", secret, time.Now())
//		recorder := httptest.NewRecorder()
//		handler.ServeHTTP(recorder, delivery.Request("/webhooks/twenty"))
//		if recorder.Code/100 == 2 {
//			t.Fatalf("accepted: %d", recorder.Code)
//		}
//	}
//
// The program is found in PATH, or at the path in the variable TWENTY_CONFORM. Other variables that begin with TWENTY_ have no
// effect. The package has this one file and no dependencies, so it can be copied.
package twentyconform

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	defaultTimeout = 2 * time.Minute
	// A single delivery takes some milliseconds.
	signTimeout = time.Minute
	// How long the program may take to end after it is told to.
	endGrace = 2 * time.Second
	// How long handlers may take to return after the run.
	handlerGrace = time.Second
	// What is left of go test's own -timeout when the run ends. Afterwards go test panics, and nothing can be cleaned up.
	deadlineMargin = endGrace + handlerGrace + time.Second
	// How much later than Timeout the program would end by itself.
	programMargin = 10 * time.Second
)

// Receiver is a receiver of Twenty's webhooks: a Handler, or a URL where one listens.
type Receiver struct {
	// Handler is served on a free port of this machine during the check.
	Handler http.Handler
	// URL is the address of a receiver that already runs. Use go test -count=1 with it: otherwise go test may repeat its last
	// result, without asking the receiver.
	URL string
	// Path is the path of the Handler's route. The default is "/".
	Path string
	// Secret is the secret that the receiver verifies with.
	Secret string
	// Level is the lowest level of the requirements that are tried: "must", "should" or "advice". Each must fails the test, and with
	// another level each should. The default is "must".
	Level string
	// Args are further options of twenty-conform receiver, such as "--fail-on", "should".
	Args []string
	// Timeout is the time that the run may take. The default is 2 minutes, or less if go test ends the test earlier.
	Timeout time.Duration
	// Program is the path of twenty-conform. The default is the variable TWENTY_CONFORM, or else the program in PATH.
	Program string
}

// Check runs the suite. Each requirement is a subtest, which fails with the cause and the fix. A requirement that is inconclusive
// or does not apply is skipped with the reason. If the suite cannot run, the test fails at once and says why.
func (r Receiver) Check(t *testing.T) {
	t.Helper()
	deadline, _ := t.Deadline()
	result, err := r.run(deadline)
	if err != nil {
		t.Fatal(err)
	}
	if result.Choice != nil && result.Choice.Refused == "shipped" {
		// What was tried is not what Twenty sends today.
		t.Log(result.Choice.Sentence)
	}
	if result.passed() {
		for _, note := range result.Notes {
			t.Log(note)
		}
	} else {
		if !result.hasFailed() {
			// No subtest would fail: what is inconclusive is skipped.
			t.Fatal(result.text())
		}
		t.Log(result.again())
	}
	for _, one := range result.Requirements {
		one := one
		t.Run(one.ID+" "+one.Title, func(t *testing.T) {
			t.Helper()
			switch {
			case one.Verdict == "pass":
			case result.isWrong(one) && one.Verdict != "inconclusive":
				t.Fatal(result.about(one))
			case one.Verdict == "fail":
				t.Skip("does not fail the run, because it is only a " + one.Level + "\n" + result.about(one))
			default:
				// If it is inconclusive, what failed is the reason, and has a subtest of its own.
				t.Skip(one.Verdict + ": " + result.reason(one))
			}
		})
	}
}

// run serves the handler, if there is one, and runs the suite. The deadline is that of go test, or zero.
func (r Receiver) run(deadline time.Time) (*report, error) {
	if (r.Handler == nil) == (r.URL == "") {
		return nil, errors.New("give Receiver either Handler or URL")
	}
	if r.URL != "" && r.Path != "" {
		return nil, errors.New("Path is for a Handler; with URL, make it part of URL")
	}
	program, err := findProgram(r.Program)
	if err != nil {
		return nil, err
	}
	url := r.URL
	if r.Handler != nil {
		base, stop, err := serve(r.Handler)
		if err != nil {
			return nil, err
		}
		defer stop()
		url = base + "/" + strings.TrimPrefix(r.Path, "/")
	}
	level := r.Level
	if level == "" {
		level = "must"
	}
	limit, late := r.limit(deadline)
	if limit <= 0 {
		return nil, late
	}
	folder, err := os.MkdirTemp("", "twenty-conform-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "report.json")
	arguments := []string{"receiver", "--url=" + url, "--level=" + level, "--quiet", "--report=json=" + file}
	if !hasOption(r.Args, "--max-time") {
		// The program's own limit must not come first: it would leave requirements inconclusive.
		arguments = append(arguments, fmt.Sprintf("--max-time=%dms", (limit+programMargin).Milliseconds()))
	}
	if !hasOption(r.Args, "--fail-on") && level != "must" {
		arguments = append(arguments, "--fail-on=should")
	}
	if !hasOption(r.Args, "--no-cache") {
		// Checks at the same time would share the files for replay, which needs a receiver that still runs.
		arguments = append(arguments, "--no-cache")
	}
	arguments = append(arguments, r.Args...)
	ended, err := execute(program, arguments, r.Secret, nil, folder, limit)
	if errors.Is(err, errLate) {
		return nil, late
	}
	if err != nil {
		return nil, err
	}
	switch ended.status {
	case 0, 1, 3, 5: // passed, failed, incomplete, only known failures
		return readReport(file, ended)
	}
	return nil, ended.err()
}

// limit returns how long the run may take, and the error if it takes longer.
func (r Receiver) limit(deadline time.Time) (time.Duration, error) {
	limit := r.Timeout
	if limit <= 0 {
		limit = defaultTimeout
	}
	if left := time.Until(deadline) - deadlineMargin; !deadline.IsZero() && left < limit {
		return left, errors.New("the run did not end before go test's own time-out; give it more time: go test -timeout 10m")
	}
	advice := "if the receiver answers, give a longer Timeout, or fewer cases: Args: []string{\"--cases\", \"4\"}"
	return limit, fmt.Errorf("the run did not end within %v; %s", limit, advice)
}

func hasOption(arguments []string, name string) bool {
	for _, one := range arguments {
		if one == name || strings.HasPrefix(one, name+"=") {
			return true
		}
	}
	return false
}

// serve serves a handler on a free port. httptest.Server is not used, because its Close waits for a handler that hangs.
func serve(handler http.Handler) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("the handler cannot be served: %w", err)
	}
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	stop = func() {
		// Handlers get the time to return, so that they do not use the test after its end.
		within, cancel := context.WithTimeout(context.Background(), handlerGrace)
		defer cancel()
		if server.Shutdown(within) != nil {
			server.Close()
		}
	}
	return "http://" + listener.Addr().String(), stop, nil
}

// The report.

type report struct {
	Result       string        `json:"result"`
	ExitStatus   int           `json:"exit_status"`
	Seed         json.Number   `json:"seed"`
	FailOn       string        `json:"fail_on"`
	NotStarted   *notStarted   `json:"not_started"`
	Choice       *choice       `json:"dialect_choice"`
	Notes        []string      `json:"notes"`
	Findings     []finding     `json:"findings"`
	Requirements []requirement `json:"requirements"`
	Checks       []check       `json:"checks"`
}

// choice is how the form of the payloads was chosen, if the receiver accepts one form only.
type choice struct {
	Refused  string `json:"refused"`
	Sentence string `json:"sentence"`
}

type notStarted struct {
	Fault string `json:"fault"`
}

type requirement struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Level   string `json:"level"`
	Verdict string `json:"verdict"`
}

type check struct {
	Requirements []string `json:"requirements"`
	Verdict      string   `json:"verdict"`
	Message      string   `json:"message"`
	Actual       string   `json:"actual"`
	Expected     string   `json:"expected"`
}

type finding struct {
	Cause        string   `json:"cause"`
	Requirements []string `json:"requirements"`
	Text         string   `json:"text"`
	Fix          string   `json:"fix"`
	CodeLine     string   `json:"code_line"`
	Avoid        string   `json:"avoid"`
	Answered     string   `json:"answered"`
	Expected     string   `json:"expected"`
}

func readReport(file string, ended *ending) (*report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		// Without a report, what the program wrote says why.
		return nil, ended.err()
	}
	result := new(report)
	if err := json.Unmarshal(text, result); err != nil {
		return nil, fmt.Errorf("the report of twenty-conform cannot be read; use the file twentyconform.go of its version: %w", err)
	}
	if result.NotStarted != nil {
		advice := "start it before the test, or give its Handler instead of URL"
		return nil, fmt.Errorf("%s; %s", result.NotStarted.Fault, advice)
	}
	return result, nil
}

func (r *report) passed() bool {
	return r.ExitStatus == 0
}

// isWrong returns whether a requirement fails the run.
func (r *report) isWrong(one requirement) bool {
	switch one.Verdict {
	case "pass", "not-applicable", "known-failure":
		return false
	}
	return one.Level == "must" || one.Level == r.FailOn
}

func (r *report) hasFailed() bool {
	for _, one := range r.Requirements {
		if r.isWrong(one) && one.Verdict != "inconclusive" {
			return true
		}
	}
	return false
}

// reason returns why a requirement did not pass, in a sentence.
func (r *report) reason(one requirement) string {
	for _, check := range r.Checks {
		if contains(check.Requirements, one.ID) && check.Verdict == one.Verdict && check.Message != "" {
			return check.Message
		}
	}
	return "without a reason"
}

// answered returns what was answered and what was expected, if a requirement failed.
func (r *report) answered(one requirement) (answered, expected string) {
	for _, check := range r.Checks {
		hasFailed := check.Verdict == "fail" || check.Verdict == "drift"
		if contains(check.Requirements, one.ID) && hasFailed && check.Actual != "" {
			return check.Actual, check.Expected
		}
	}
	return "", ""
}

// about returns the findings of a requirement, or why it did not pass.
func (r *report) about(one requirement) string {
	var lines []string
	for _, finding := range r.Findings {
		if contains(finding.Requirements, one.ID) {
			// With what was answered to this one.
			finding.Answered, finding.Expected = r.answered(one)
			lines = append(lines, finding.lines()...)
		}
	}
	if len(lines) == 0 {
		lines = []string{fmt.Sprintf("%s %s: %s: %s", one.ID, one.Title, one.Verdict, r.reason(one))}
	}
	return strings.Join(lines, "\n")
}

// text returns the findings, the most important first, and what was inconclusive.
func (r *report) text() string {
	lines := []string{"the receiver does not conform: " + r.Result}
	for _, finding := range r.Findings {
		lines = append(lines, finding.lines()...)
	}
	var open []requirement
	for _, one := range r.Requirements {
		if r.isWrong(one) && one.Verdict == "inconclusive" {
			open = append(open, one)
		}
	}
	if len(open) > 0 {
		first := open[0]
		line := fmt.Sprintf("%d inconclusive, the first: %s %s: %s", len(open), first.ID, first.Title, r.reason(first))
		lines = append(lines, line)
	}
	lines = append(lines, r.Notes...)
	return strings.Join(append(lines, r.again()), "\n")
}

// again returns how to run with the same generated cases.
func (r *report) again() string {
	return fmt.Sprintf("again: Args: []string{\"--seed\", \"%s\"}", r.Seed)
}

// lines returns the finding in a few lines.
func (f finding) lines() []string {
	first := strings.Join(f.Requirements, ", ") + ": " + f.Text
	if f.Cause != "" {
		first += "  [" + f.Cause + "]"
	}
	lines := []string{first}
	if f.Fix != "" {
		lines = append(lines, "  fix       "+f.Fix)
	}
	if f.CodeLine != "" {
		lines = append(lines, "              "+f.CodeLine)
	}
	if f.Avoid != "" {
		lines = append(lines, "  do not    "+f.Avoid)
	}
	if f.Answered != "" {
		expected := f.Expected
		if expected == "" {
			expected = "another answer"
		}
		lines = append(lines, "  answered  "+f.Answered+", expected "+expected)
	}
	if f.Cause != "" {
		lines = append(lines, "  more      twenty-conform explain "+f.Cause)
	}
	return lines
}

func contains(all []string, wanted string) bool {
	for _, one := range all {
		if one == wanted {
			return true
		}
	}
	return false
}

// Deliveries for unit tests.

// Delivery is a signed POST, as Twenty sends it.
type Delivery struct {
	Header http.Header
	Body   []byte
}

// Request returns the delivery as a request for a handler's ServeHTTP. The target is a path such as "/webhooks/twenty", or a URL.
// Each call returns a new request.
func (d *Delivery) Request(target string) *http.Request {
	request := httptest.NewRequest(http.MethodPost, target, bytes.NewReader(d.Body))
	request.Header = d.Header.Clone()
	return request
}

// Option changes how a delivery is made.
type Option func(*maker)

// Dialect sets the form of a sample's payload: "documented", as in Twenty's documentation, or "shipped", as Twenty's server sends
// it. The default is "documented".
func Dialect(name string) Option {
	return func(m *maker) { m.arguments = append(m.arguments, "--dialect="+name) }
}

// Program sets the path of twenty-conform, as Receiver.Program does.
func Program(path string) Option {
	return func(m *maker) { m.program = path }
}

type maker struct {
	program   string
	arguments []string
}

// SignedRequest returns a valid delivery that is signed at the time now. The event is
//   - the name of an event, such as "person.created", whose sample is sent,
//   - a string that begins with "{", a []byte or a json.RawMessage: the body itself,
//   - or anything else, which encoding/json writes.
//
// The test fails at once if there is no such delivery.
func SignedRequest(t testing.TB, event any, secret string, now time.Time, options ...Option) *Delivery {
	t.Helper()
	delivery, err := makeDelivery(event, secret, now, options)
	if err != nil {
		t.Fatal(err)
	}
	return delivery
}

// Broken returns a delivery that a receiver must reject, because it is wrong in the way of a cause such as "accepts.stale". The
// command twenty-conform explain describes a cause. The event is given as to SignedRequest. The cause "accepts.replayed" shows only
// after a valid delivery with the same arguments, now included.
func Broken(t testing.TB, cause string, event any, secret string, now time.Time, options ...Option) *Delivery {
	t.Helper()
	broken := func(m *maker) { m.arguments = append(m.arguments, "--broken="+cause) }
	delivery, err := makeDelivery(event, secret, now, append([]Option{broken}, options...))
	if err != nil {
		t.Fatal(err)
	}
	return delivery
}

func makeDelivery(event any, secret string, now time.Time, options []Option) (*Delivery, error) {
	made := &maker{arguments: []string{"sign", "--json", "--config=none", fmt.Sprintf("--timestamp=%d", now.UnixMilli())}}
	for _, option := range options {
		option(made)
	}
	body, name, err := bodyOf(event)
	if err != nil {
		return nil, err
	}
	if body == nil {
		made.arguments = append(made.arguments, "--event="+name)
	}
	program, err := findProgram(made.program)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "twenty-conform-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	ended, err := execute(program, made.arguments, secret, body, folder, signTimeout)
	if err != nil {
		return nil, err
	}
	if ended.status != 0 {
		return nil, ended.err()
	}
	return readDelivery(ended.stdout)
}

// bodyOf returns the body that an event is, or else its name.
func bodyOf(event any) (body []byte, name string, err error) {
	switch event := event.(type) {
	case string:
		// Raw strings often begin with a line break.
		if !strings.HasPrefix(strings.TrimSpace(event), "{") {
			return nil, event, nil
		}
		return []byte(event), "", nil
	case []byte:
		return append([]byte{}, event...), "", nil
	case json.RawMessage:
		// json.Marshal would change its formatting.
		return append([]byte{}, event...), "", nil
	}
	body, err = json.Marshal(event)
	if err != nil {
		return nil, "", fmt.Errorf("the event is neither a name nor a body, and JSON has no form of it: %w", err)
	}
	return body, "", nil
}

func readDelivery(text string) (*Delivery, error) {
	var made struct {
		Headers [][2]string `json:"headers"`
		Body    struct {
			Text   string `json:"text"`
			Base64 string `json:"base64"`
		} `json:"body"`
	}
	err := json.Unmarshal([]byte(text), &made)
	delivery := &Delivery{Header: http.Header{}, Body: []byte(made.Body.Text)}
	if err == nil && made.Body.Base64 != "" {
		delivery.Body, err = base64.StdEncoding.DecodeString(made.Body.Base64)
	}
	if err != nil {
		return nil, fmt.Errorf("the delivery of twenty-conform cannot be read; use the file twentyconform.go of its version: %w", err)
	}
	for _, header := range made.Headers {
		// A character is a byte of the value, which may be no text.
		var value []byte
		for _, one := range header[1] {
			value = append(value, byte(one))
		}
		delivery.Header.Add(header[0], string(value))
	}
	return delivery, nil
}

// The program.

var (
	errLate        = errors.New("twenty-conform did not end in time")
	errInterrupted = errors.New("the test was interrupted")
)

func findProgram(path string) (string, error) {
	source := "Program"
	if path == "" {
		path, source = os.Getenv("TWENTY_CONFORM"), "the variable TWENTY_CONFORM"
	}
	if path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("%s has no path of a program: %w", source, err)
		}
		return found, nil
	}
	found, err := exec.LookPath("twenty-conform")
	if err != nil {
		advice := "install it, for example with pip or npm, or set the variable TWENTY_CONFORM to its path"
		return "", fmt.Errorf("twenty-conform is not in PATH; %s", advice)
	}
	return found, nil
}

// ending is how the program ended.
type ending struct {
	status         int
	state          string
	stdout, stderr string
}

// err returns what the program wrote, in one line, or how it ended if it wrote nothing.
func (e *ending) err() error {
	if e.status == 130 {
		return errInterrupted
	}
	said := strings.TrimSpace(e.stderr)
	if said == "" {
		said = strings.TrimSpace(e.stdout)
	}
	said = errorIn(said)
	if said == "" {
		return fmt.Errorf("twenty-conform ended without a result: %s", e.state)
	}
	return errors.New(strings.Join(strings.Fields(said), " "))
}

// errorIn returns the error among lines, which can begin with notes, or all of them if there is none. Its further lines are indented.
func errorIn(said string) string {
	lines := strings.Split(said, "\n")
	for number, line := range lines {
		if !strings.HasPrefix(line, "error: ") {
			continue
		}
		end := number + 1
		for end < len(lines) && strings.HasPrefix(lines[end], "  ") {
			end++
		}
		return strings.TrimPrefix(strings.Join(lines[number:end], "\n"), "error: ")
	}
	return said
}

// execute runs the program until it ends, for limit at most, and never leaves it running. Its files are in the folder.
func execute(program string, arguments []string, secret string, stdin []byte, folder string, limit time.Duration) (*ending, error) {
	if secret == "" {
		return nil, errors.New("the secret is empty; give the one that the receiver verifies with")
	}
	if strings.ContainsRune(secret, 0) {
		return nil, errors.New("the secret has a NUL character, with which twenty-conform cannot be run")
	}
	command := exec.Command(program, arguments...)
	command.Env = environment(secret)
	endWithThisProcess(command)
	// With pipes instead of files, Wait would also wait for processes that the program started.
	files, closeFiles, err := openFiles(folder, stdin)
	defer closeFiles()
	if err != nil {
		return nil, err
	}
	command.Stdin, command.Stdout, command.Stderr = files[0], files[1], files[2]
	started, err := start(command, folder)
	if err != nil {
		return nil, err
	}
	defer func() {
		running.Lock()
		defer running.Unlock()
		started.forget()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-started.done:
	case <-timer.C:
		started.end()
		return nil, errLate
	}
	stdout, err := os.ReadFile(files[1].Name())
	if err != nil {
		return nil, err
	}
	stderr, err := os.ReadFile(files[2].Name())
	if err != nil {
		return nil, err
	}
	state := command.ProcessState
	return &ending{state.ExitCode(), state.String(), string(stdout), string(stderr)}, nil
}

// openFiles returns the program's standard input, output and error.
func openFiles(folder string, stdin []byte) (files [3]*os.File, closeFiles func(), err error) {
	closeFiles = func() {
		for _, file := range files {
			file.Close()
		}
	}
	path := filepath.Join(folder, "stdin")
	if err := os.WriteFile(path, stdin, 0o600); err != nil {
		return files, closeFiles, err
	}
	if files[0], err = os.Open(path); err != nil {
		return files, closeFiles, err
	}
	for number, name := range []string{"stdout", "stderr"} {
		if files[number+1], err = os.Create(filepath.Join(folder, name)); err != nil {
			return files, closeFiles, err
		}
	}
	return files, closeFiles, nil
}

// environment returns the variables of the program. Those that set options are meant for other runs.
func environment(secret string) []string {
	kept := []string{"NO_COLOR=1", "TWENTY_WEBHOOK_SECRET=" + secret}
	for _, variable := range os.Environ() {
		// On Windows, names of variables may be in any case.
		name := strings.ToUpper(strings.SplitN(variable, "=", 2)[0])
		if !strings.HasPrefix(name, "TWENTY_") && name != "NO_COLOR" && name != "CLICOLOR_FORCE" {
			kept = append(kept, variable)
		}
	}
	return kept
}

// endWithThisProcess asks the kernel to end the program when this process ends in any way, such as a panic or a kill. Linux and
// FreeBSD can do it. The field is set by its name, so that this file compiles for every system.
func endWithThisProcess(command *exec.Cmd) {
	command.SysProcAttr = new(syscall.SysProcAttr)
	field := reflect.ValueOf(command.SysProcAttr).Elem().FieldByName("Pdeathsig")
	if field.IsValid() {
		field.Set(reflect.ValueOf(syscall.SIGTERM))
	}
}

// process is a program that was started.
type process struct {
	command *exec.Cmd
	folder  string
	done    chan struct{} // closed when it has ended
}

// running has the programs that must end when this process is interrupted. Without it, a signal would end this process alone.
var running = struct {
	sync.Mutex
	processes     map[*process]bool
	signals       chan os.Signal
	isInterrupted bool
}{processes: map[*process]bool{}}

func start(command *exec.Cmd, folder string) (*process, error) {
	running.Lock()
	defer running.Unlock()
	if running.isInterrupted {
		return nil, errInterrupted
	}
	if len(running.processes) == 0 {
		// Before the start, so that no signal comes between.
		running.signals = make(chan os.Signal, 1)
		for _, one := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			// Notify would end that it is ignored, for example under nohup.
			if !signal.Ignored(one) {
				signal.Notify(running.signals, one)
			}
		}
		go endAllOn(running.signals)
	}
	one := &process{command, folder, make(chan struct{})}
	running.processes[one] = true
	started := make(chan error)
	go func() {
		// The kernel ends the program with the thread that started it, so this thread has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			// How it ended is in command.ProcessState.
			_ = command.Wait()
			close(one.done)
		}
	}()
	if err := <-started; err != nil {
		one.forget()
		return nil, fmt.Errorf("twenty-conform cannot be run: %w; install the one for this system", err)
	}
	return one, nil
}

// forget is called when the program has ended, with running locked.
func (p *process) forget() {
	delete(running.processes, p)
	if len(running.processes) == 0 {
		signal.Stop(running.signals)
		close(running.signals)
	}
}

// end ends the program. It gets the time to end what it started.
func (p *process) end() {
	if p.command.Process.Signal(syscall.SIGTERM) != nil {
		// Windows has no such signal. If the program has ended already, this does nothing.
		_ = p.command.Process.Kill()
	}
	select {
	case <-p.done:
	case <-time.After(endGrace):
		_ = p.command.Process.Kill()
		<-p.done
	}
}

// endAllOn ends every program after a signal, and then does what the signal would have done without it.
func endAllOn(signals chan os.Signal) {
	received, isOpen := <-signals
	if !isOpen {
		return
	}
	running.Lock()
	defer running.Unlock()
	running.isInterrupted = true
	for one := range running.processes {
		one.end()
		_ = os.RemoveAll(one.folder)
	}
	signal.Stop(signals)
	this, err := os.FindProcess(os.Getpid())
	if err != nil || this.Signal(received) != nil {
		// Windows cannot send it.
		os.Exit(2)
	}
	// The signal may arrive a little later. Until then, the tests must not go on and end in another way.
	time.Sleep(time.Second)
}
