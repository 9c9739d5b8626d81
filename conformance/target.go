package conformance

import (
	"crypto/x509"
	"embed"
	"io/fs"
	"net/http"
	"testing"
)

// Target is the server to judge. It knows the people of [Account] and the
// services of [Services].
type Target struct {
	// URL is the server's address, without a slash at its end:
	// "https://localhost:8443/cas".
	URL string
	// Hasty is the address of the same server, set up in another way: no long
	// sessions, no REST, half a second for call-backs, failed logins forgiven
	// within a second, applications told of their newest ticket alone, no
	// private network reached. "" for none.
	Hasty string
	// Roots are who signed the server's certificate.
	Roots *x509.CertPool
	// Authority signs the certificates of the applications that the suite
	// plays. The server trusts it, and calls loopback addresses.
	Authority *Authority
	// Lacks says of features of the server that they are not there, and why.
	Lacks map[Feature]string
	// Suspend stops somebody's account in the directory, and returns how to open
	// it again. nil where nobody can.
	Suspend func(t testing.TB, who Account) func()
	// Outage takes away what the server keeps its tickets in, and returns how
	// to give it back. nil where nobody can.
	Outage func(t testing.TB) func()
	// Register writes a file into the folder of services, which the server
	// reads again by itself within seconds. nil where nobody can.
	Register func(t testing.TB, name, text string)
}

// Feature is a part of a server that may be left out.
type Feature string

// What a check may need of its target.
const (
	Proxies      Feature = "proxies"       // pgtUrl, /proxy, /proxyValidate
	SAML         Feature = "saml"          // /samlValidate
	REST         Feature = "rest"          // /v1
	SingleLogout Feature = "single logout" // requests to services
	HastyServer  Feature = "hasty server"  // Target.Hasty
	Outages      Feature = "outages"       // Target.Outage
	Registering  Feature = "registering"   // Target.Register
	Suspending   Feature = "suspending"    // Target.Suspend
	// AccountStates: the directory has people in each state, whose password is
	// the same.
	AccountStates Feature = "account states"
)

// lacks tells why a feature cannot be counted on, "" where it can.
func (t *Target) lacks(f Feature) string {
	switch {
	case f == HastyServer && t.Hasty == "":
		return "there is no second server, set up in another way"
	case f == Outages && t.Outage == nil:
		return "nothing can be taken away from this server"
	case f == Suspending && t.Suspend == nil:
		return "no account of this server's directory can be stopped"
	case f == Registering && t.Register == nil:
		return "the services of this server cannot be changed"
	}
	return t.Lacks[f]
}

//go:embed services
var services embed.FS

// Services is the folder of services that the server must know, in Parvis's
// format.
func Services() (fs.FS, error) { return fs.Sub(services, "services") }

// Account is somebody who can log in. The demonstration's directory has them.
type Account struct{ UID, Password string }

// T is what a check is run with: the test that it fails, and the server.
type T struct {
	testing.TB
	*Target
	http *http.Client
}

// People of the demonstration.
var (
	student   = Account{"o22502142", "LesPigeons9BoiventDuThe"} // jpmartin, two affiliations
	freshman  = Account{"s21004567", "TroisChats5DansLeTramway"}
	teacher   = Account{"dupont-a", "UnArchet4PourDeuxVoix"}
	staff     = Account{"moreau-s", "LaGrenouille7LitLeJournal"} // in the group that Admin is for
	suspended = Account{"roux-p", "MilleVents2SurLaColline"}
)

// statePassword is that of ended, waiting, stale and reset, who are in the state
// that they are called by.
const statePassword = "MonChien8Chante"

// Services of the folder.
const (
	app      = "https://app.univ.example/"    // releases attributes
	other    = "https://other.univ.example/"  // the same
	bare     = "https://bare.univ.example/"   // releases nothing
	silent   = "https://silent.univ.example/" // not even how the person logged in
	admin    = "https://admin.univ.example/"  // for a group
	away     = "https://away.univ.example/"   // the same, sends others to refusedAt
	closed   = "https://closed.univ.example/" // disabled
	strict   = "https://strict.univ.example/" // no single sign-on
	oldApp   = "https://old.univ.example/"    // CAS 1.0 alone
	samlApp  = "https://saml.univ.example/"   // SAML 1.1 alone
	postApp  = "https://post.univ.example/"   // answered by POST
	quickApp = "https://quick.univ.example/"  // tickets live 1 s
	oddApp   = "https://odd.univ.example/"    // values and names that XML cannot hold
	mailApp  = "https://mail.univ.example/"   // people are their mail address
	nickApp  = "https://nick.univ.example/"   // people are pseudonyms
	backend  = "https://backend.univ.example/"
	quickEnd = "https://quickend.univ.example/" // proxy tickets live 1 s
	twiceEnd = "https://twice.univ.example/"    // proxy tickets are good twice
	imap     = "imap://imap.univ.example"       // no address for a browser
	stranger = "https://app.univ.example.evil.example/"

	refusedAt = "https://www.univ.example/refused"
)
