package conformance

import (
	"fmt"
	"slices"
	"testing"
)

// Row is a rule.
type Row struct {
	// ID is what it is cited by: "L7".
	ID string
	// Section is where the CAS Protocol Specification 3.0.3 speaks of it, ""
	// where it does not.
	Section string
}

// Statement is one thing that a rule says of a server.
type Statement struct {
	// ID is the row's. A row may say several things.
	ID string
	// Holds is what is so, in a few words.
	Holds string
	// Needs is what the server must have for it to be asked.
	Needs []Feature
	// Untested says why nothing asks, where nothing does.
	Untested string
	// Run fails its test where it is not so.
	Run func(*T)
}

// Statements lists everything that the suite says, in the order of [Rows].
func Statements() []Statement {
	return slices.Concat(
		general(), credentialRequestor(), requestorMethods(), credentialAcceptor(), acceptorChoices(),
		logout(), singleLogout(), validation1(), validation2(), validationJSON(), attributes(),
		proxyCallback(), proxyTickets(), saml(), rest(), tickets(),
	)
}

// Verdict is what became of a statement.
type Verdict string

// The verdicts.
const (
	Held      Verdict = "held"
	Failed    Verdict = "failed"
	NotTested Verdict = "not tested"
)

// LeftOut is the reason of a statement that this run was not asked about.
const LeftOut = "left out of this run"

// Result is a statement with its verdict.
type Result struct {
	Statement
	Verdict Verdict
	// Reason says why it was not tested.
	Reason string
}

// Run asks every statement of the target, each in a subtest that is named by
// its id.
func Run(t *testing.T, target *Target) []Result {
	t.Helper()
	results := make([]Result, 0, len(Statements()))
	for _, s := range Statements() {
		result := Result{Statement: s, Verdict: NotTested, Reason: s.missing(target)}
		if result.Reason == "" {
			result.Verdict, result.Reason = s.judge(t, target)
		}
		results = append(results, result)
	}
	return results
}

// missing says why a statement cannot be asked of a target, "" where it can.
func (s Statement) missing(target *Target) string {
	if s.Run == nil {
		return s.Untested
	}
	for _, f := range s.Needs {
		if reason := target.lacks(f); reason != "" {
			return reason
		}
	}
	return ""
}

func (s Statement) judge(t *testing.T, target *Target) (Verdict, string) {
	t.Helper()
	ran := false
	ok := t.Run(fmt.Sprintf("%s/%s", s.ID, s.Holds), func(t *testing.T) {
		ran = true
		client := target.client()
		t.Cleanup(client.CloseIdleConnections)
		s.Run(&T{t, target, client})
	})
	switch {
	case !ran: // -run asked for others
		return NotTested, LeftOut
	case !ok:
		return Failed, ""
	}
	return Held, ""
}
