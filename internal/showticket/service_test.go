package showticket_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/internal/showticket"
)

const (
	base    = "http://localhost:9081"
	success = `<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'><cas:authenticationSuccess><cas:user>o22502142</cas:user>` +
		`<cas:attributes><cas:mail>a@b.example</cas:mail><cas:memberOf>x</cas:memberOf><cas:memberOf>&lt;script&gt;</cas:memberOf></cas:attributes>` +
		`</cas:authenticationSuccess></cas:serviceResponse>`
	failure = `<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'><cas:authenticationFailure code='INVALID_TICKET'>no such ticket</cas:authenticationFailure></cas:serviceResponse>`
)

func TestPages(t *testing.T) {
	tests := []struct {
		name     string
		target   string
		language string
		answer   string
		status   int
		location string   // of a redirect, with LOGIN for the login page
		asked    string   // of the login server
		want     []string // in the page
	}{
		{name: "no ticket, to the login", target: "/a?b=c", status: 302, location: "LOGIN?service=" + url.QueryEscape(base+"/a?b=c")},
		{name: "renew, to the login", target: "/renew", status: 302, location: "LOGIN?renew=true&service=" + url.QueryEscape(base+"/renew")},
		{name: "gateway and nobody", target: "/gateway", status: 200, want: []string{"Personne n'est connecté"}},
		{
			name: "ticket taken", target: "/?ticket=ST-1", answer: success, status: 200,
			asked: "service=" + url.QueryEscape(base+"/") + "&ticket=ST-1",
			want:  []string{"Bonjour", `id="user">o22502142<`, "a@b.example", "&lt;script&gt;", "http://localhost:9082/"},
		},
		{
			name: "the service keeps its query", target: "/a?b=%C3%A9&c=ticket%3Dx&ticket=ST-1", language: "en-GB", answer: success, status: 200,
			asked: "service=" + url.QueryEscape(base+"/a?b=%C3%A9&c=ticket%3Dx") + "&ticket=ST-1",
			want:  []string{"Hello"},
		},
		{name: "renew is asked of the validation too", target: "/renew?ticket=ST-1", answer: success, status: 200, asked: "renew=true&service=" + url.QueryEscape(base+"/renew") + "&ticket=ST-1"},
		{name: "ticket refused", target: "/?ticket=ST-1", answer: failure, status: 200, want: []string{"INVALID_TICKET", "Un ticket ne sert qu'une fois"}},
		{name: "an answer that is none", target: "/?ticket=ST-1", answer: "<html/>", status: 502, want: []string{"neither a success nor a failure"}},
		{name: "an answer that is no XML", target: "/?ticket=ST-1", answer: "<", status: 502},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var asked string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/cas/p3/serviceValidate" {
					t.Errorf("asked %s", r.URL.Path)
				}
				asked = r.URL.RawQuery
				_, _ = w.Write([]byte(test.answer))
			}))
			defer server.Close()
			service, err := showticket.New(showticket.Options{
				Base: base, CAS: server.URL + "/cas",
				Others: []string{"http://localhost:9082/"},
				Client: &http.Client{Timeout: time.Second},
			})
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequest(http.MethodGet, test.target, nil)
			request.Header.Set("Accept-Language", test.language)
			got := httptest.NewRecorder()
			service.ServeHTTP(got, request)
			if got.Code != test.status {
				t.Errorf("status = %d, want %d", got.Code, test.status)
			}
			if want := strings.Replace(test.location, "LOGIN", server.URL+"/cas/login", 1); got.Header().Get("Location") != want {
				t.Errorf("location = %s, want %s", got.Header().Get("Location"), want)
			}
			if asked != test.asked && test.asked != "" {
				t.Errorf("asked %s, want %s", asked, test.asked)
			}
			for _, want := range test.want {
				if !strings.Contains(got.Body.String(), want) {
					t.Errorf("the page has no %s:\n%s", want, got.Body)
				}
			}
		})
	}
}

func TestLoginServerDown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	service, err := showticket.New(showticket.Options{Base: base, CAS: server.URL + "/cas", Client: &http.Client{Timeout: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	got := httptest.NewRecorder()
	service.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/?ticket=ST-1", nil))
	if got.Code != http.StatusBadGateway {
		t.Errorf("status = %d, want 502", got.Code)
	}
}
