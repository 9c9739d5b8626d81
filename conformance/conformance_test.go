package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parvis/conformance"
)

var (
	update = flag.Bool("update", false, "write docs/conformance.md anew")
	target = flag.String("target", "", "address of another server to judge, such as https://localhost:8443/cas; it must know the demonstration's people and the folder services/")
	trust  = flag.String("authority", "", "folder of ca.pem and ca.key, which sign the other server's certificate and the suite's own; they are made where there are none")
	lacks  = flag.String("lacks", "", "features that the other server does not have, with commas: "+strings.Join(features(), ", "))
)

func features() []string {
	return []string{
		string(conformance.Proxies), string(conformance.SAML), string(conformance.REST),
		string(conformance.SingleLogout), string(conformance.AccountStates),
	}
}

// TestConformance asks everything, of the program or of another server, and
// prints the table.
func TestConformance(t *testing.T) {
	judged := anotherServer(t)
	if judged == nil {
		judged = startParvis(t)
	}
	results := conformance.Run(t, judged)
	table := conformance.Report(results)
	fmt.Println(table)
	partial := slices.ContainsFunc(results, func(r conformance.Result) bool { return r.Reason == conformance.LeftOut })
	if *target == "" && !partial {
		kept(t, table)
	}
}

// anotherServer is the target of the flags, nil for none.
func anotherServer(t *testing.T) *conformance.Target {
	t.Helper()
	if *target == "" {
		return nil
	}
	folder := *trust
	if folder == "" {
		folder = t.TempDir()
	}
	authority, err := conformance.OpenAuthority(folder)
	if err != nil {
		t.Fatal(err)
	}
	judged := &conformance.Target{
		URL: strings.TrimSuffix(*target, "/"), Roots: authority.Pool(), Authority: authority,
		Lacks: map[conformance.Feature]string{},
	}
	for feature := range strings.SplitSeq(*lacks, ",") {
		judged.Lacks[conformance.Feature(strings.TrimSpace(feature))] = "this server does not have it"
	}
	return judged
}

const (
	document = "../docs/conformance.md"
	begin    = "<!-- table -->\n"
)

// kept holds that the document says what was found. Its introduction is
// written by hand.
func kept(t *testing.T, table string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	introduction, _, found := strings.Cut(string(text), begin)
	if !found {
		t.Fatalf("%s has no line %q", document, begin)
	}
	want := introduction + begin + "\n" + table
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s says something else than was found: run `go test ./conformance -update` and read the difference", filepath.Base(document))
	}
}

// TestEveryRuleHasAStatement: no rule is forgotten, and none is made up.
func TestEveryRuleHasAStatement(t *testing.T) {
	said := map[string]int{}
	for _, s := range conformance.Statements() {
		said[s.ID]++
		if (s.Run == nil) == (s.Untested == "") || s.Holds == "" {
			t.Errorf("%s, %q: want a check, or why there is none", s.ID, s.Holds)
		}
	}
	for _, row := range conformance.Rows() {
		if said[row.ID] == 0 {
			t.Errorf("nothing is said of %s", row.ID)
		}
		delete(said, row.ID)
	}
	if len(said) > 0 {
		t.Errorf("no rules: %v", said)
	}
}

// TestStatementsAreDistinct: a subtest and a line of the table is found by its
// id and its words.
func TestStatementsAreDistinct(t *testing.T) {
	var names []string
	for _, s := range conformance.Statements() {
		names = append(names, s.ID+" "+s.Holds)
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			t.Errorf("twice: %s", names[i])
		}
	}
}
