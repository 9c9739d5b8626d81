package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parvis/internal/httpx"
)

const formType = "application/x-www-form-urlencoded"

func TestParseParams(t *testing.T) {
	tests := []struct {
		name, query, body string
		want              map[string]string
	}{
		{"no parameters", "", "", map[string]string{"service": ""}},
		{"G1 names are case-sensitive", "Service=a&TICKET=b", "", map[string]string{"service": "", "ticket": "", "Service": "a", "TICKET": "b"}},
		{"G2 decoded exactly once", "service=https%3A%2F%2Fa.example%2F%3Fx%3D1%2526y%23f", "", map[string]string{"service": "https://a.example/?x=1%26y#f"}},
		{"G2 lower-case escapes and raw characters", "service=http%3a%2f%2fa.example/?q='~,:", "", map[string]string{"service": "http://a.example/?q='~,:"}},
		{"plus is a space", "service=a+b%2Bc", "", map[string]string{"service": "a b+c"}},
		{"semicolon is data", "service=https://a.example/x;jsessionid=1", "", map[string]string{"service": "https://a.example/x;jsessionid=1"}},
		{"equals sign in a value", "service=a=b=c", "", map[string]string{"service": "a=b=c"}},
		{"present and empty", "renew&gateway=", "", map[string]string{"renew": "", "gateway": ""}},
		{"raw bytes are kept", "service=\xc3\xa9\xff", "", map[string]string{"service": "\xc3\xa9\xff"}},
		{"other names may repeat, the first counts", "x=1&x=2", "x=3", map[string]string{"x": "1"}},
		{"empty items", "&&service=a&&", "", map[string]string{"service": "a"}},
		{"form", "", "username=u&password=p%26%2B+&execution=e", map[string]string{"username": "u", "password": "p&+ ", "execution": "e"}},
		{"G3 same value in query and form is one", "service=https%3A%2F%2Fa", "service=https://a&username=u", map[string]string{"service": "https://a", "username": "u"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := httpx.ParseParams(httptest.NewRecorder(), request(test.query, test.body))
			if err != nil {
				t.Fatalf("ParseParams: %v", err)
			}
			for name, want := range test.want {
				if got := p.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
		})
	}
	p, err := httpx.ParseParams(httptest.NewRecorder(), request("renew&x=1", ""))
	if err != nil || !p.Has("renew") || p.Has("gateway") {
		t.Errorf("Has: renew %v, gateway %v, error %v", p.Has("renew"), p.Has("gateway"), err)
	}
}

func TestParseParamsRefuses(t *testing.T) {
	long := strings.Repeat("a", httpx.MaxParamValue+1)
	tests := []struct {
		name, query, body string
		want              int
	}{
		{"S11 repeated within the query", "service=a&service=b", "", 400},
		{"S11 repeated within the query, same value", "ticket=a&ticket=a", "", 400},
		{"S11 repeated under another spelling of the name", "service=a&%73ervice=b", "", 400},
		{"S11 repeated within the form", "", "username=a&username=b", 400},
		{"S11 repeated execution", "", "execution=a&execution=b", 400},
		{"S11 different in query and form", "service=a", "service=b", 400},
		{"S11 password in the query", "password=secret-word", "", 400},
		{"S11 username in the query", "username=secret-word", "", 400},
		{"S11 password in the query of a form", "password=secret-word", "password=secret-word", 400},
		{"broken escape", "service=%zz", "", 400},
		{"cut escape", "service=%4", "", 400},
		{"broken escape in a name", "%=1", "", 400},
		{"broken escape in the form", "", "a=%", 400},
		{"S39 too many", strings.Repeat("a=1&", httpx.MaxParams+1), "", 400},
		{"S39 value too long", "", "a=" + long, 400},
		{"S39 name too long", strings.Repeat("n", httpx.MaxParamName+1) + "=1", "", 400},
		{"S39 body too long", "", "a=" + strings.Repeat("a", httpx.MaxBody), 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := httpx.ParseParams(httptest.NewRecorder(), request(test.query, test.body))
			if got := httpx.StatusOf(err); got != test.want {
				t.Fatalf("status %d (%v), want %d", got, err, test.want)
			}
			if strings.Contains(err.Error(), "secret-word") {
				t.Errorf("error quotes a value: %v", err)
			}
			if p.Has("service") || p.Has("username") {
				t.Error("parameters come with the error")
			}
		})
	}
}

func TestParseParamsBodyTypes(t *testing.T) {
	tests := []struct {
		name, method, contentType, body string
		want                            int
	}{
		{"charset is ignored", "POST", formType + "; charset=UTF-8", "a=1", 200},
		{"case of the type", "POST", "Application/X-WWW-Form-URLEncoded", "a=1", 200},
		{"no body, no type", "POST", "", "", 200},
		{"multipart", "POST", "multipart/form-data; boundary=x", "--x--", 415},
		{"json", "POST", "application/json", "{}", 415},
		{"none", "POST", "", "a=1", 415},
		{"broken", "POST", "application/", "a=1", 415},
		{"a GET's body is not read", "GET", "application/json", "{}", 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/login", strings.NewReader(test.body))
			if test.body == "" {
				r.Body = http.NoBody
			}
			r.Header.Set("Content-Type", test.contentType)
			_, err := httpx.ParseParams(httptest.NewRecorder(), r)
			if got := httpx.StatusOf(err); got != test.want {
				t.Errorf("status %d (%v), want %d", got, err, test.want)
			}
		})
	}
}

// FuzzParams holds that whatever is accepted reads the same as net/url reads
// it, but for semicolons, which net/url refuses.
func FuzzParams(f *testing.F) {
	for _, seed := range []string{"", "a=1&b=%20+", "service=a;b", "%", "&&=&", "a=%zz", "ticket=1&ticket=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.RawQuery = query
		p, err := httpx.ParseParams(httptest.NewRecorder(), r)
		want, wantErr := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B"))
		if err != nil {
			if got := httpx.StatusOf(err); got != http.StatusBadRequest {
				t.Fatalf("status %d", got)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("accepts what net/url refuses: %v", wantErr)
		}
		for name, values := range want {
			if got := p.Get(name); got != values[0] {
				t.Fatalf("%q = %q, want %q", name, got, values[0])
			}
		}
	})
}

func BenchmarkParseParams(b *testing.B) {
	r := httptest.NewRequest(http.MethodGet, "/cas/serviceValidate?service=https%3A%2F%2Fapp.univ.example%2Flogin&ticket=ST-0123456789012345678901234567", nil)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := httpx.ParseParams(w, r); err != nil {
			b.Fatal(err)
		}
	}
}

// request is a GET of query, or a POST of the form body where there is one.
func request(query, body string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/login", nil)
	if body != "" {
		r = httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
	}
	r.URL.RawQuery = query
	return r
}
