package interop_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parvis/internal/testkit"
)

// mailbox is a service that is no address of the web.
const mailbox = "imap://mail.univ.example"

// TestPHPCASProxies has a portal, an application behind it that is a portal
// too, and one behind both. phpCAS looks the proxy-granting ticket up as soon
// as its validation is answered: the call-back has ended before (P2 P3).
func TestPHPCASProxies(t *testing.T) {
	s := newSite(t)
	portal, middle, last := s.php("3"), s.php("2"), s.php("3")
	for _, a := range []*application{portal, middle} {
		a.set("APP_PROXY", "yes")
		s.service(a.url, released, "proxy: "+a.url+"/callback", "logout: {type: none}")
	}
	s.service(last.url, released)
	s.service(mailbox)
	portal.set("APP_TARGET", middle.url+"/ask")
	middle.set("APP_TARGET", last.url+"/")
	middle.set("APP_BEHIND", portal.url)
	last.set("APP_BEHIND", middle.url+" "+portal.url)
	s.serve()

	b := s.browser()
	got := b.login(b.get(portal.url + "/ask")).told(t)
	t.Run("the portal asks as the person (P6 V10)", func(t *testing.T) {
		if got.User != student || !got.Fine {
			t.Fatalf("the portal got %+v", got)
		}
		between := got.behind(t)
		if want := []string{portal.url + "/callback"}; between.User != student || !slices.Equal(between.Proxies, want) {
			t.Errorf("the application behind was told %+v, want the proxies %q", between, want)
		}
	})
	t.Run("through two portals, the most recent first (P5 P11)", func(t *testing.T) {
		told := got.behind(t).behind(t)
		if want := []string{middle.url + "/callback", portal.url + "/callback"}; told.User != student || !slices.Equal(told.Proxies, want) {
			t.Errorf("the last application was told %+v, want the proxies %q", told, want)
		}
		if fmt.Sprint(told.Attributes["mail"]) != studentMail {
			t.Errorf("the last application was told %+v, want a mail address", told)
		}
	})
	t.Run("a service that is no address of the web (P6)", func(t *testing.T) {
		got := b.get(portal.url + "/ticket?for=" + mailbox).told(t)
		if !got.Fine || !strings.HasPrefix(got.Behind, "PT-") {
			t.Fatalf("the portal got %+v", got)
		}
		valid := b.get(s.url + strings.TrimPrefix(testkit.ValidatePath("/proxyValidate", mailbox, got.Behind), "/cas"))
		if !valid.Valid() || !strings.Contains(valid.Body, "<cas:proxy>"+portal.url+"/callback</cas:proxy>") {
			t.Errorf("the mailbox was told\n%s", valid.Body)
		}
	})
	t.Run("a service that nobody registered (P9)", func(t *testing.T) {
		if got := b.get(portal.url + "/ticket?for=imap://elsewhere.example").told(t); got.Fine {
			t.Errorf("the portal got %+v", got)
		}
	})
	t.Run("nothing after logout (P13)", func(t *testing.T) {
		b.get(s.url + "/logout")
		if got := b.get(portal.url + "/ticket?for=" + mailbox).told(t); got.Fine {
			t.Errorf("the portal got %+v", got)
		}
	})
}

// behind is what the application behind a portal answered.
func (a answer) behind(t *testing.T) answer {
	t.Helper()
	var told answer
	if err := json.Unmarshal([]byte(a.Behind), &told); err != nil {
		t.Fatalf("the application behind did not answer: %+v", a)
	}
	return told
}

// TestPerlProxies has each of the clients of Perl as the portal of the other.
// Both look the proxy-granting ticket up as soon as their validation is
// answered.
func TestPerlProxies(t *testing.T) {
	s := newSite(t)
	one, other := s.perl("authcas.pl"), s.perl("authen.pl")
	one.set("APP_TARGET", other.url+"/behind")
	other.set("APP_TARGET", one.url+"/behind")
	s.service(one.url, released, "proxy: "+one.url+"/callback")
	s.service(other.url, "proxy: "+other.url+"/callback")
	s.serve()

	for name, portal := range map[string]*application{"AuthCAS in front": one, "Authen::CAS::Client in front": other} {
		t.Run(name+" (P2 P3 P6 P11)", func(t *testing.T) {
			b := s.browserOf(t)
			got := b.login(b.get(portal.url + "/portal")).told(t)
			told := got.behind(t)
			if want := []string{portal.url + "/callback"}; got.User != student || told.User != student || !slices.Equal(told.Proxies, want) {
				t.Errorf("the portal got %+v, behind it %+v", got, told)
			}
		})
	}
}
