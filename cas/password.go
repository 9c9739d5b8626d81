package cas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"parvis/identity"
	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/internal/pace"
	"parvis/internal/ratelimit"
)

// throttledError refuses an attempt before its password is looked at.
type throttledError struct{ retry time.Duration }

func (e *throttledError) Error() string { return "too many attempts" }

// checkPassword asks the throttle, then the directory. Whatever is refused as
// a wrong password costs as many questions and lasts as long, whoever the
// login is of, if of anybody.
func (s *Server) checkPassword(r *http.Request, c credentials) (identity.Person, error) {
	knows := s.knownLogins(r)
	attempt := func(login string) ratelimit.Attempt {
		return ratelimit.Attempt{Account: login, Address: httpx.EventOf(r.Context()).Client(), Known: knows(login)}
	}
	t, err := s.tryPassword(r.Context(), c, attempt(c.login))
	var throttled *throttledError
	if errors.As(err, &throttled) {
		s.record(r, audit.Event{Action: audit.Throttled, Outcome: audit.Refused, LoginHash: s.pseudonym(c.login)})
	}
	if err != nil {
		return identity.Person{}, err
	}
	// One person's names share a count, which is kept by uid.
	if uid := identity.FoldLogin(t.uid()); uid != "" && uid != c.login {
		t.hold, err = s.throttle.Also(r.Context(), t.hold, attempt(uid))
	} else if t.refused() {
		_, err = s.throttle.Also(r.Context(), ratelimit.Hold{}, attempt(noLogin+c.login))
	}
	if err != nil {
		return identity.Person{}, fmt.Errorf("%w: %w", errThrottle, err)
	}
	if t.refused() {
		s.recordRefusal(r, c, t)
		s.pace.Level(r.Context(), t.took)
		return identity.Person{}, identity.ErrBadCredentials
	}
	if t.state != nil {
		s.record(r, audit.Event{Action: audit.Login, Outcome: audit.Refused, User: t.state.UID, Reason: string(t.state.State)})
	}
	if err := s.throttle.Forgive(r.Context(), t.hold); err != nil {
		return identity.Person{}, fmt.Errorf("%w: %w", errThrottle, err)
	}
	if t.state != nil {
		return identity.Person{}, t.state
	}
	return t.person, nil
}

// noLogin begins what no folded login is: a count that concerns nobody.
const noLogin = "\x00"

// tried is a password that the directory judged.
type tried struct {
	hold   ratelimit.Hold
	person identity.Person
	// wrong: the password was not proven. The person's UID is there where the
	// login is somebody's.
	wrong bool
	// state refuses a right password.
	state *identity.StateError
	// took is how long the directory worked.
	took time.Duration
}

func (t tried) uid() string {
	if t.state != nil {
		return t.state.UID
	}
	return t.person.UID
}

// refused tells what must look like a wrong password.
func (t tried) refused() bool { return t.wrong || t.hold.Refused }

// tryPassword is what happens behind the gate. Its error is for an attempt that
// was not judged, which is not counted either, unless the caller hung up: that
// spares nobody the count.
func (s *Server) tryPassword(ctx context.Context, c credentials, a ratelimit.Attempt) (tried, error) {
	leave, err := s.gate.Enter(ctx)
	if err != nil {
		return tried{}, err
	}
	defer leave()
	hold, retry, err := s.throttle.Take(ctx, a)
	switch {
	case err != nil:
		return tried{}, fmt.Errorf("%w: %w", errThrottle, err)
	case retry > 0:
		return tried{}, &throttledError{retry}
	}
	begun := time.Now() // a stopwatch, whatever the time of day
	t := tried{hold: hold}
	t.person, err = s.directory.Authenticate(ctx, c.login, c.password)
	t.took = time.Since(begun)
	t.wrong = errors.Is(err, identity.ErrBadCredentials)
	switch {
	case err == nil, t.wrong, errors.As(err, &t.state):
		s.learn(c, t)
		return t, nil
	case ctx.Err() == nil:
		err = errors.Join(err, s.throttle.Return(ctx, hold))
	}
	return tried{}, err
}

// learn takes note of how long the directory works on a password. It does not
// work on those that are too long.
func (s *Server) learn(c credentials, t tried) {
	class := pace.Somebody
	switch {
	case len(c.password) > identity.MaxPassword:
		return
	case t.uid() == "":
		class = pace.Nobody
	}
	s.pace.Learn(class, t.took)
}

func (s *Server) recordRefusal(r *http.Request, c credentials, t tried) {
	e := audit.Event{
		Action: audit.Login, Outcome: audit.Failure, Reason: "bad_credentials",
		User: t.uid(), LoginHash: s.pseudonym(c.login),
	}
	if t.hold.Refused {
		e.Action, e.Outcome, e.Reason = audit.Throttled, audit.Refused, "another_name"
	}
	s.record(r, e)
}

func (s *Server) pseudonym(login string) string { return s.sealer.Pseudonym("audit", login) }
