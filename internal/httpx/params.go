package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// Limits of what a request may carry.
const (
	// MaxBody is the size of a request's body, in bytes.
	MaxBody = 64 << 10
	// MaxParams is the number of parameters, query and body each.
	MaxParams = 64
	// MaxParamName and MaxParamValue are the sizes of a decoded name and
	// value, in bytes.
	MaxParamName  = 128
	MaxParamValue = 16 << 10
)

// Params are the parameters of a request. Names are case-sensitive: "Service"
// is not "service" (specification, section 2).
type Params struct{ pairs []pair }

type pair struct{ name, value string }

// Get returns the value of a parameter, "" where it is absent.
func (p Params) Get(name string) string {
	value, _ := p.Lookup(name)
	return value
}

// Has tells whether a parameter is present, be it empty.
func (p Params) Has(name string) bool {
	_, ok := p.Lookup(name)
	return ok
}

// Lookup returns the value of a parameter, and whether it is present.
func (p Params) Lookup(name string) (string, bool) {
	for i := range p.pairs {
		if p.pairs[i].name == name {
			return p.pairs[i].value, true
		}
	}
	return "", false
}

// ParseParams reads the query and, of a POST, the form in the body, which it
// consumes. Each value is percent-decoded exactly once, and otherwise keeps
// its bytes. It returns an [Error] that never quotes a value:
//
//   - 400 for broken percent-encoding, for a password or username in the
//     query (URLs end up in logs and histories), for too many or too large
//     parameters, and for a protocol parameter that is repeated: within the
//     query, within the body, or in both with different values. The same
//     value in both is one value, since scripts send a form back to the very
//     address they got it from;
//   - 413 for a body above [MaxBody];
//   - 415 for a POST whose body is no application/x-www-form-urlencoded.
//
// Of another parameter that is repeated the first counts, query first.
func ParseParams(w http.ResponseWriter, r *http.Request) (Params, error) {
	query, err := ParseQuery(r)
	if err != nil || r.Method != http.MethodPost {
		return query, err
	}
	form, err := readForm(w, r)
	if err != nil {
		return Params{}, err
	}
	body, err := parse(form)
	if err != nil {
		return Params{}, Status(http.StatusBadRequest, fmt.Errorf("read form: %w", err))
	}
	for _, p := range body.pairs {
		value, known := query.Lookup(p.name)
		switch {
		case !known:
			query.pairs = append(query.pairs, p)
		case value != p.value && once(p.name):
			return Params{}, Status(http.StatusBadRequest, fmt.Errorf("read form: %w: %s", errConflict, p.name))
		}
	}
	return query, nil
}

// ParseQuery reads the query alone, by the rules of [ParseParams], for
// endpoints whose body is not a form.
func ParseQuery(r *http.Request) (Params, error) {
	query, err := parse(r.URL.RawQuery)
	if err != nil {
		return Params{}, Status(http.StatusBadRequest, fmt.Errorf("read query: %w", err))
	}
	if query.Has("password") || query.Has("username") {
		return Params{}, Status(http.StatusBadRequest, fmt.Errorf("read query: %w", errCredentials))
	}
	return query, nil
}

var (
	errConflict    = errors.New("parameter has one value in the query and another in the form")
	errRepeated    = errors.New("parameter is repeated")
	errCredentials = errors.New("credentials in the address")
	errEncoding    = errors.New("percent-encoding is broken")
	errTooMany     = errors.New("too many parameters")
	errTooLong     = errors.New("parameter is too long")
)

// once tells whether a parameter may be given only once.
func once(name string) bool {
	switch name {
	case "ticket", "service", "renew", "gateway", "warn", "method",
		"target", "TARGET", "SAMLart", "targetService",
		"pgtUrl", "pgt", "pgtId", "pgtIou", "entityId", "token",
		"username", "password", "execution":
		return true
	}
	return false
}

// readForm returns the body of a POST as it came.
func readForm(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return "", nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return "", Status(http.StatusUnsupportedMediaType, errors.New("read form: body is of another type"))
	}
	// A buffer of the form's size, and what it wants spare to find the end:
	// io.Copy would take 32 KB, a quarter of what a login allocates.
	var form bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= MaxBody {
		form.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err = form.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", Status(http.StatusRequestEntityTooLarge, fmt.Errorf("read form: %w", err))
	case err != nil:
		return "", Status(http.StatusBadRequest, fmt.Errorf("read form: %w", err))
	}
	return form.String(), nil
}

// parse reads parameters as HTML forms write them: pairs at '&', a value
// after '=', '+' for a space. ';' is a character like others, which
// net/url does not allow.
func parse(raw string) (Params, error) {
	if raw == "" {
		return Params{}, nil
	}
	var p Params
	p.pairs = make([]pair, 0, min(strings.Count(raw, "&")+1, MaxParams))
	for raw != "" {
		var item string
		item, raw, _ = strings.Cut(raw, "&")
		if item == "" {
			continue
		}
		if len(p.pairs) == MaxParams {
			return Params{}, errTooMany
		}
		name, value, _ := strings.Cut(item, "=")
		decoded, err := decodePair(name, value)
		if err != nil {
			return Params{}, err
		}
		if once(decoded.name) && p.Has(decoded.name) {
			return Params{}, fmt.Errorf("%w: %s", errRepeated, decoded.name)
		}
		p.pairs = append(p.pairs, decoded)
	}
	return p, nil
}

func decodePair(rawName, rawValue string) (pair, error) {
	name, err := decode(rawName)
	if err != nil {
		return pair{}, err
	}
	value, err := decode(rawValue)
	if err != nil {
		return pair{}, err
	}
	if len(name) > MaxParamName || len(value) > MaxParamValue {
		return pair{}, errTooLong
	}
	return pair{name: name, value: value}, nil
}

// decode undoes form encoding once. It allocates only where there is
// something to undo.
func decode(s string) (string, error) {
	first := strings.IndexAny(s, "%+")
	if first < 0 {
		return s, nil
	}
	out := make([]byte, first, len(s))
	copy(out, s)
	for i := first; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", errEncoding
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high < 0 || low < 0 {
				return "", errEncoding
			}
			out = append(out, byte(high<<4|low))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out), nil
}

// unhex is the value of a hexadecimal digit, -1 for anything else.
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
