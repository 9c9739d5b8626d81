package cas_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/cas"
	"parvis/identity"
	"parvis/internal/ratelimit"
	"parvis/internal/testkit"
)

// studentNames are what the student may log in with.
var studentNames = []string{student, "jpmartin", "jean-pierre.martin@etu.univ.example"}

// TestS20ExactlyTheBurst: of 200 wrong passwords at once on one account from
// one address, five are looked at.
func TestS20ExactlyTheBurst(t *testing.T) {
	var asked atomic.Int64
	c := newCampus(t, func(o *cas.Options, _ map[string]string) {
		o.Gate = ratelimit.NewGate(32, 400, 20*time.Second)
		directory := o.Directory
		o.Directory = directoryFunc(func(ctx context.Context, login, password string) (identity.Person, error) {
			asked.Add(1)
			time.Sleep(5 * time.Millisecond) // as a hash does
			return directory.Authenticate(ctx, login, password)
		})
	})
	var wg sync.WaitGroup
	for range 200 {
		b := c.browser()
		form := b.Get(testkit.LoginPath(app))
		wg.Go(func() { b.Submit(form, student, "wrong") })
	}
	wg.Wait()
	if got := asked.Load(); got != 5 {
		t.Errorf("the directory was asked for %d passwords, want 5", got)
	}
}

// TestS20NamesOfOnePerson: other names of a person are no more guesses, and a
// refusal for what was tried under another name shows nowhere.
func TestS20NamesOfOnePerson(t *testing.T) {
	for _, attacked := range studentNames {
		t.Run(attacked, func(t *testing.T) {
			c := newCampus(t)
			b := c.browser()
			for range 5 {
				wantStatus(t, b.Login(testkit.LoginPath(app), attacked, "wrong"), http.StatusUnauthorized)
			}
			var pages []string
			for _, name := range append([]string{"nobody"}, studentNames...) {
				if name == attacked {
					continue
				}
				for _, password := range []string{"wrong", studentPassword} {
					a := b.Login(testkit.LoginPath(app), name, password)
					wantStatus(t, a, http.StatusUnauthorized)
					body := strings.ReplaceAll(a.Body, a.Form().Get("execution"), "TOKEN")
					pages = append(pages, strings.ReplaceAll(body, name, "USER"))
				}
			}
			for _, page := range pages {
				if page != pages[0] {
					t.Errorf("the page differs from that of nobody:\n%s", page)
				}
			}
			if b.tgc() != "" {
				t.Error("logged in")
			}
			if got := strings.Count(c.audit.String(), `"throttled"`); got != 4 {
				t.Errorf("%d attempts audited as throttled, want 4:\n%s", got, c.audit)
			}
			c.clock.Travel(10 * time.Minute)
			for _, name := range studentNames {
				wantStatus(t, c.browser().Login(testkit.LoginPath(app), name, studentPassword), http.StatusSeeOther)
			}
		})
	}
}

// TestS20KnownByEveryName: a browser that knew the account is known by
// whatever name its owner types next time.
func TestS20KnownByEveryName(t *testing.T) {
	for _, first := range studentNames {
		t.Run(first, func(t *testing.T) {
			c := newCampus(t)
			owner := c.browser()
			owner.From = "198.51.100.1"
			wantStatus(t, owner.Login(testkit.LoginPath(app), first, studentPassword), http.StatusSeeOther)
			owner.Get("/cas/logout")
			for i := range 20 {
				stranger := c.browser()
				stranger.From = fmt.Sprintf("203.0.113.%d", i)
				for range 5 {
					stranger.Login(testkit.LoginPath(app), studentNames[i%len(studentNames)], "guess")
				}
			}
			for _, name := range studentNames {
				wantStatus(t, owner.Login(testkit.LoginPath(app), name, studentPassword), http.StatusSeeOther)
				owner.Get("/cas/logout")
			}
			fresh := c.browser()
			fresh.From = "198.51.100.2"
			if a := fresh.Login(testkit.LoginPath(app), first, studentPassword); a.Status == http.StatusSeeOther {
				t.Error("a new browser gets in: the attack is none")
			}
			wantStatus(t, owner.Login(testkit.LoginPath(app), teacher, teacherPassword), http.StatusSeeOther)
		})
	}
}

// TestS20HangingUp: who leaves before the answer is counted all the same; a
// directory that does not answer is nobody's fault.
func TestS20HangingUp(t *testing.T) {
	var directory cas.Directory
	asked := make(chan struct{})
	c := newCampus(t, func(o *cas.Options, _ map[string]string) {
		directory = o.Directory
		o.Directory = directoryFunc(func(ctx context.Context, login, password string) (identity.Person, error) {
			switch password {
			case "hang up":
				asked <- struct{}{}
				<-ctx.Done()
				return identity.Person{}, fmt.Errorf("%w: %w", identity.ErrUnavailable, ctx.Err())
			case "down":
				return identity.Person{}, identity.ErrUnavailable
			}
			return directory.Authenticate(ctx, login, password)
		})
	})
	b := c.browser()
	for range 10 {
		wantStatus(t, b.Login(testkit.LoginPath(app), student, "down"), http.StatusServiceUnavailable)
	}
	for range 5 {
		form := b.Get(testkit.LoginPath(app)).Form()
		form.Set("username", student)
		form.Set("password", "hang up")
		ctx, hangUp := context.WithCancel(t.Context())
		r := b.Request(http.MethodPost, "/cas/login", form.Encode()).WithContext(ctx)
		r.Header.Set("Cookie", c.cookiesOf(b))
		done := make(chan struct{})
		go func() {
			defer close(done)
			if response, err := http.DefaultClient.Do(r); err == nil {
				_ = response.Body.Close()
			}
		}()
		<-asked
		hangUp()
		<-done
	}
	wantStatus(t, b.Login(testkit.LoginPath(app), student, studentPassword), http.StatusLocked)
}

func (c *campus) cookiesOf(b *browser) string {
	return "parvis_browser=" + b.Cookie("parvis_browser")
}

type directoryFunc func(ctx context.Context, login, password string) (identity.Person, error)

func (f directoryFunc) Find(context.Context, string) (identity.Person, error) {
	return identity.Person{}, identity.ErrNotFound
}

func (f directoryFunc) Authenticate(ctx context.Context, login, password string) (identity.Person, error) {
	return f(ctx, login, password)
}
