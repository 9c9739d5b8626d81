package directorytest

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const (
	rounds   = 3
	warmUp   = 30
	measured = 100
	// indifferent is a difference that no network shows.
	indifferent = 60 * time.Microsecond
)

// Durations holds a door to S19: a stopwatch does not tell the first login, of a
// person whose password is wrong, from the others, that nobody has or whose hash
// is another. try tries a password that is wrong, and returns how long it took.
// Medians of interleaved tries are compared, which a busy machine moves together.
//
// Directories alone need not hold it: whoever stands before them levels what is
// left. A machine that is too busy tells logins apart by itself: whoever has just
// used a core waits longest for the next one. What a stopwatch tells in one round
// and not in another is that, so a difference must show in every round.
func Durations(t *testing.T, try func(login, password string) time.Duration, logins ...string) {
	t.Helper()
	var apart []string
	for range rounds {
		if apart = difference(t, try, logins); len(apart) == 0 {
			return
		}
	}
	for _, what := range apart {
		t.Error(what)
	}
}

func difference(t *testing.T, try func(login, password string) time.Duration, logins []string) []string {
	t.Helper()
	taken := make(map[string][]time.Duration)
	for i := range warmUp + measured {
		for _, login := range logins {
			elapsed := try(login, fmt.Sprintf("wrong-%d", i))
			if i >= warmUp {
				taken[login] = append(taken[login], elapsed)
			}
		}
	}
	var apart []string
	wrong := median(taken[logins[0]])
	for _, login := range logins[1:] {
		got := median(taken[login])
		if (got-wrong).Abs() > indifferent && (got > wrong*5/4 || wrong > got*5/4) {
			apart = append(apart, fmt.Sprintf("median of %q is %s, of %q %s", login, got, logins[0], wrong))
		}
		t.Logf("median of %q %s, of %q %s", login, got, logins[0], wrong)
	}
	return apart
}

func median(durations []time.Duration) time.Duration {
	slices.Sort(durations)
	return durations[len(durations)/2]
}
