// Checks a verification of Twenty's webhooks against vectors.json: go test check_test.go
//
// Replace verify with a call of your own code. It returns whether a delivery is accepted.
package vectors

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const freshMs = 5 * 60 * 1000

var (
	digits    = regexp.MustCompile(`\A[0-9]{1,15}\z`)
	hexDigits = regexp.MustCompile(`\A[0-9a-fA-F]{64}\z`)
)

func signatureOf(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + ":"))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func verify(secret string, headers map[string]string, body []byte, nowMs int64) bool {
	// Of a header that is there twice, it is unknown which one counts, so the values together are no signature.
	timestamp, signature := headers["x-twenty-webhook-timestamp"], headers["x-twenty-webhook-signature"]
	if !digits.MatchString(timestamp) || !hexDigits.MatchString(signature) {
		return false
	}
	if !hmac.Equal([]byte(signatureOf(secret, timestamp, body)), []byte(strings.ToLower(signature))) {
		return false
	}
	sent, _ := strconv.ParseInt(timestamp, 10, 64)
	if nowMs-sent > freshMs || sent-nowMs > freshMs || !utf8.Valid(body) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var event map[string]any
	if decoder.Decode(&event) != nil || decoder.More() {
		return false
	}
	for _, name := range []string{"record", "data"} {
		// Events of metadata have neither.
		if content, found := event[name]; found {
			if _, isObject := content.(map[string]any); !isObject {
				return false
			}
		}
	}
	name, found := event["eventName"]
	if !found {
		name = event["event"]
	}
	_, isText := name.(string)
	return isText
}

type text struct {
	Text      *string
	Base64    *string
	Generated *struct {
		Before, Repeat, After string
		Times                 int
	}
}

func (value text) bytes() []byte {
	if value.Text != nil {
		return []byte(*value.Text)
	}
	if value.Base64 != nil {
		decoded, _ := base64.StdEncoding.DecodeString(*value.Base64)
		return decoded
	}
	made := value.Generated
	return []byte(made.Before + strings.Repeat(made.Repeat, made.Times) + made.After)
}

func TestVectors(t *testing.T) {
	file, err := os.ReadFile("vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Vectors []struct {
			ID, Requirement, Notes, Secret string
			Accept                         *bool
			NowMs                          int64 `json:"now_ms"`
			Headers                        [][2]string
			Body                           text
			Signed                         *text
			Signature                      *string
		}
	}
	if err := json.Unmarshal(file, &read); err != nil {
		t.Fatal(err)
	}
	for _, vector := range read.Vectors {
		t.Run(vector.ID, func(t *testing.T) {
			headers := map[string]string{}
			for _, header := range vector.Headers {
				name := strings.ToLower(header[0])
				if earlier, found := headers[name]; found {
					headers[name] = earlier + ", " + header[1]
				} else {
					headers[name] = header[1]
				}
			}
			body := vector.Body.bytes()
			if vector.Signature != nil {
				timestamp := headers["x-twenty-webhook-timestamp"]
				signed := append([]byte(timestamp+":"), body...)
				if signatureOf(vector.Secret, timestamp, body) != *vector.Signature || !bytes.Equal(signed, vector.Signed.bytes()) {
					t.Error("the signature is another one")
				}
			}
			if vector.Accept != nil && verify(vector.Secret, headers, body, vector.NowMs) != *vector.Accept {
				must := map[bool]string{true: "accepted", false: "rejected"}[*vector.Accept]
				t.Errorf("must be %s (%s): %s", must, vector.Requirement, vector.Notes)
			}
		})
	}
}
