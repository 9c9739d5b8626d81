package casclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/casclient"
)

// vouching is a server that vouches for every ticket, with these elements.
func vouching(elements string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, success(elements)) })
}

// forgetful is a store of another's making that minds no limits.
type forgetful struct{ casclient.Sessions }

func (f forgetful) Save(ctx context.Context, key string, s casclient.Session) error {
	s.Idle = 1000 * time.Hour
	end := s.End
	s.End = end.Add(1000 * time.Hour)
	return f.Sessions.Save(ctx, key, s)
}

func (f forgetful) Load(ctx context.Context, key string) (casclient.Session, error) {
	s, err := f.Sessions.Load(ctx, key)
	s.End = s.End.Add(-1000 * time.Hour)
	return s, err
}

// TestLifetimeIsCheckedHere: a session ends in time whatever its store does.
func TestLifetimeIsCheckedHere(t *testing.T) {
	n, k := newNetwork(), newClock()
	client := newClient(t, n, k, casclient.Options{Service: app, Lifetime: time.Hour, Sessions: forgetful{casclient.NewMemory(k.Now, 10)}})
	n.serve("app.univ.example", client.Require(http.HandlerFunc(hello)))
	n.serve("cas.univ.example", vouching("<cas:user>x</cas:user>"))
	b := n.browser(t)
	b.step(app + "/?ticket=ST-1")
	k.travel(59 * time.Minute)
	wantPage(t, b.step(app+"/"), app+"/", "x reads")
	k.travel(time.Minute)
	wantStatus(t, b.step(app+"/"), http.StatusSeeOther)
}

// TestLoginEndsTheSessionBefore: nothing is left that the old cookie opens.
func TestLoginEndsTheSessionBefore(t *testing.T) {
	n, k := newNetwork(), newClock()
	client := newClient(t, n, k, casclient.Options{Service: app})
	n.serve("app.univ.example", client.Require(http.HandlerFunc(hello)))
	n.serve("cas.univ.example", vouching("<cas:user>x</cas:user>"))
	b := n.browser(t)
	b.step(app + "/?ticket=ST-1")
	old := b.cookie(app, "__Host-cas")
	wantStatus(t, n.blind(t).step(app+"/", "Cookie", "__Host-cas="+old), http.StatusOK)
	b.step(app + "/?ticket=ST-2")
	wantStatus(t, n.blind(t).step(app+"/", "Cookie", "__Host-cas="+old), http.StatusSeeOther)
	wantStatus(t, b.step(app+"/"), http.StatusOK)
}

// TestProxiedSessionIsShort: programs bring a ticket for each call.
func TestProxiedSessionIsShort(t *testing.T) {
	n, k := newNetwork(), newClock()
	client := newClient(t, n, k, casclient.Options{Service: app, ProxyChains: [][]string{{portal + "/cas/proxy"}}})
	n.serve("app.univ.example", client.Require(http.HandlerFunc(hello)))
	n.serve("cas.univ.example", vouching("<cas:user>x</cas:user><cas:proxies><cas:proxy>"+portal+"/cas/proxy</cas:proxy></cas:proxies>"))
	b := n.browser(t)
	wantStatus(t, b.step(app+"/?ticket=PT-1"), http.StatusOK)
	k.travel(9 * time.Minute)
	wantStatus(t, b.step(app+"/"), http.StatusOK)
	k.travel(10 * time.Minute)
	wantStatus(t, b.step(app+"/"), http.StatusSeeOther)
}

// broken is a store that is away.
type broken struct{ casclient.Sessions }

var errAway = errors.New("store away")

func (broken) Load(context.Context, string) (casclient.Session, error) {
	return casclient.Session{}, errAway
}
func (broken) Save(context.Context, string, casclient.Session) error { return errAway }
func (broken) DeleteTicket(context.Context, string) error            { return errAway }

func TestStoreDown(t *testing.T) {
	n := newNetwork()
	client := newClient(t, n, newClock(), casclient.Options{Service: app, Sessions: broken{}})
	n.serve("app.univ.example", client.Require(http.HandlerFunc(hello)))
	n.serve("cas.univ.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, success("<cas:user>x</cas:user>"))
	}))
	b := n.blind(t)
	wantStatus(t, b.step(app+"/", "Cookie", "__Host-cas="+strings.Repeat("A", 43)), http.StatusServiceUnavailable)
	wantStatus(t, b.step(app+"/?ticket=ST-1"), http.StatusServiceUnavailable)
	wantStatus(t, b.send(http.MethodPost, app+"/", "logoutRequest="+url.QueryEscape(logoutText("x", "ST-1"))), http.StatusServiceUnavailable)
}
