package cas

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/beevik/etree"
)

// FuzzSAMLRequest: whatever is sent, the reader ends, and what it takes is one
// XML document with one artifact in its place, as another reader sees it.
func FuzzSAMLRequest(f *testing.F) {
	for _, seed := range []string{
		`<Envelope><Body><Request RequestID="_1"><AssertionArtifact> ST-1 </AssertionArtifact></Request></Body></Envelope>`,
		`<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="x"><s:Header/><s:Body><p:Request xmlns:p="y"><p:AssertionArtifact>ST-<![CDATA[1]]></p:AssertionArtifact></p:Request></s:Body></s:Envelope>`,
		`<!DOCTYPE x [<!ENTITY e "y">]><Envelope>&e;</Envelope>`,
		`<Envelope><Body><Request/></Body></Envelope><Envelope/>`,
		`<a><Envelope><Body><Request><AssertionArtifact>ST-1</AssertionArtifact></Request></Body></Envelope></a>`,
		"\ufeff<Envelope/>", `<?x?>`, `<!-- -->`, "", "x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		got, err := readSAMLRequest(strings.NewReader(message))
		if notInName := strings.IndexFunc(got.id, notInID); notInName >= 0 {
			t.Errorf("the request id %q cannot be said back", got.id)
		}
		if err != nil {
			return
		}
		if got.artifact == "" || got.artifact != strings.TrimSpace(got.artifact) {
			t.Errorf("artifact %q", got.artifact)
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromString(strings.TrimPrefix(message, "\ufeff")); err != nil {
			t.Fatalf("another parser refuses it: %v", err)
		}
		found := doc.FindElements("./Envelope/Body/Request/AssertionArtifact")
		if len(found) != 1 || strings.TrimSpace(textOf(found[0])) != got.artifact {
			t.Errorf("artifact %q, another parser finds %d", got.artifact, len(found))
		}
	})
}

// textOf is all the text of an element, around comments too.
func textOf(e *etree.Element) string {
	var text strings.Builder
	for _, token := range e.Child {
		if data, ok := token.(*etree.CharData); ok {
			text.WriteString(data.Data)
		}
	}
	return text.String()
}

// TestSAMLArtifactSurvivesTheRest: what was read of the ticket is known even
// where the message breaks off after it, so that it can be spent.
func TestSAMLArtifactSurvivesTheRest(t *testing.T) {
	const start = "<Envelope><Body><Request><AssertionArtifact>\n ST-1\t</AssertionArtifact>"
	broken := errors.New("connection lost")
	for _, test := range []struct{ name, message, want string }{
		{"cut after the artifact", start, "ST-1"},
		{"document type within", start + "<!DOCTYPE x>", "ST-1"},
		{"cut within the artifact", strings.TrimSuffix(start, "</AssertionArtifact>"), ""},
		{"comment within the ticket", strings.Replace(start, "ST-1", "ST<!-- x -->-1", 1), "ST-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readSAMLRequest(strings.NewReader(test.message))
			if err == nil || got.artifact != test.want {
				t.Errorf("got %q and error %v, want %q and an error", got.artifact, err, test.want)
			}
		})
	}
	t.Run("connection lost", func(t *testing.T) {
		_, err := readSAMLRequest(iotest.ErrReader(broken))
		if !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
	})
}
