package directorytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parvis/identity"
)

const (
	warmUp   = 30
	measured = 100
	// indifferent is a difference that no network shows.
	indifferent = 60 * time.Microsecond
)

// Durations holds a directory to S19: a stopwatch does not tell a login that
// nobody has, or a pre-created account, from a wrong password. It compares
// medians of interleaved tries, which a busy machine moves together.
func Durations(t *testing.T, directory Directory, known string) {
	t.Helper()
	logins := []string{known, "nobody", "o22609001"}
	taken := make(map[string][]time.Duration)
	for i := range warmUp + measured {
		for _, login := range logins {
			begun := time.Now()
			_, err := directory.Authenticate(t.Context(), login, fmt.Sprintf("wrong-%d", i))
			elapsed := time.Since(begun)
			if !errors.Is(err, identity.ErrBadCredentials) {
				t.Fatalf("try %q: %v", login, err)
			}
			if i >= warmUp {
				taken[login] = append(taken[login], elapsed)
			}
		}
	}
	wrong := median(taken[known])
	for _, login := range logins[1:] {
		got := median(taken[login])
		if (got-wrong).Abs() > indifferent && (got > wrong*3/2 || wrong > got*3/2) {
			t.Errorf("median of %q is %s, of a wrong password %s", login, got, wrong)
		}
		t.Logf("median of %q %s, of a wrong password %s", login, got, wrong)
	}
}

func median(durations []time.Duration) time.Duration {
	slices.Sort(durations)
	return durations[len(durations)/2]
}
