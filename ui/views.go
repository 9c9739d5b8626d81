package ui

import (
	"slices"
	"strings"
	"time"

	"parvis/identity"
)

// View is one page, filled in. The structs of this package are the only ones.
type View interface {
	// Page is the name of the page's template, without its extension.
	Page() string
	frame() *Frame
}

// Frame is what every page carries.
type Frame struct {
	// Self is the address of this page as a GET: path and raw query, byte for
	// byte, without the locale parameter. The language switch adds that to it.
	// [SelfOf] takes it from a request. Empty, or not a path of this server,
	// means the login page.
	Self string
	// Service is the service asked for, nil when there is none.
	Service *Service
	// Theme is the service's theme: a folder of the site's theme, or a name that
	// its styles know by data-theme. An unknown one is the site's look.
	Theme string
	// Locale is the language that the service asks for, such as "en" or
	// "fr-FR". It counts where the person has chosen none; see
	// [Renderer.LanguageFor].
	Locale string
}

func (f *Frame) frame() *Frame { return f }

// Service is what people are told of the service that they go to.
type Service struct {
	// Name and Description are shown; a service without a name shows Address.
	Name, Description string
	// LogoURL is a path on this server; anything else is not shown, for no page
	// fetches a picture elsewhere.
	LogoURL string
	// InformationURL and PrivacyURL are http(s) addresses or paths.
	InformationURL, PrivacyURL string
	// Address is the service's address. It is shown as text, never as a link.
	Address string
}

// Logo is the logo's path, or "" when it may not be shown.
func (s *Service) Logo() string {
	if isLocalPath(s.LogoURL) {
		return s.LogoURL
	}
	return ""
}

// Information is InformationURL when it may be a link, else "".
func (s *Service) Information() string { return linkable(s.InformationURL) }

// Privacy is PrivacyURL when it may be a link, else "".
func (s *Service) Privacy() string { return linkable(s.PrivacyURL) }

// Title is the name to show.
func (s *Service) Title() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Address
}

// Initial stands for the logo of a service that has none.
func (s *Service) Initial() string {
	for _, r := range s.Name {
		return strings.ToUpper(string(r))
	}
	return "·"
}

// Field is a form's hidden field.
type Field struct{ Name, Value string }

// Problem is why the login form is shown again.
type Problem string

// The problems of a login form. Expired and NoCookies are nobody's mistake: the
// form was left open too long, or came back without its cookie.
const (
	NoProblem       Problem = ""
	BadCredentials  Problem = "credentials"
	MissingUsername Problem = "username"
	MissingPassword Problem = "password"
	MissingBoth     Problem = "both"
	Expired         Problem = "expired"
	NoCookies       Problem = "cookies"
)

// Choices are the boxes of the login form.
type Choices struct {
	// RememberMe keeps the session on this device, PublicWorkstation leaves none
	// behind, Warn asks before each service. The boxes are named rememberMe,
	// publicWorkstation and warn, with the value "true".
	RememberMe, PublicWorkstation, Warn bool
}

// Login asks for a login and a password (CAS 2.1). Its form posts username,
// password, execution, _eventId=submit and Hidden.
type Login struct {
	Frame
	// Action is the path the form posts to; BasePath/login when empty.
	Action string
	// Execution is the form's token.
	Execution string
	// Hidden are more fields: where the person is going, and how.
	Hidden []Field
	// Username is what was typed before. A password is never given back.
	Username string
	// Problem says why the form is shown again.
	Problem Problem
	// Renew is the login of somebody whose session is open and who must type
	// the password again; "" for nobody.
	Renew string
	// Offer is which boxes exist, Ticked which are ticked.
	Offer, Ticked Choices
	// Lifetime is how long Execution lives; 0 for unknown. A script renews the
	// form shortly before.
	Lifetime time.Duration
}

// Page names the template.
func (*Login) Page() string { return "login" }

// AsksUsername tells whether the username is to be corrected.
func (v *Login) AsksUsername() bool { return v.Problem == MissingUsername || v.Problem == MissingBoth }

// AsksPassword tells whether the password is to be corrected.
func (v *Login) AsksPassword() bool { return v.Problem == MissingPassword || v.Problem == MissingBoth }

// UsernameFaulty and PasswordFaulty tell whether a field is marked. After bad
// credentials both are: the answer never says which of the two was wrong.
func (v *Login) UsernameFaulty() bool { return v.AsksUsername() || v.Problem == BadCredentials }

// PasswordFaulty is the same for the password.
func (v *Login) PasswordFaulty() bool { return v.AsksPassword() || v.Problem == BadCredentials }

// Lives is Lifetime in whole seconds.
func (v *Login) Lives() int { return seconds(v.Lifetime) }

// Welcome says that a session is open (CAS 2.1, 2.2.4: login without a service).
type Welcome struct {
	Frame
	// User is the canonical login, Name the person's name when it is known.
	User, Name string
	// JustLoggedIn says so, where the session may also be an older one.
	JustLoggedIn bool
	// Visits are the services the session opened, latest first.
	Visits []Visit
	// LogoutURL is a path; BasePath/logout when empty.
	LogoutURL string
}

// Page names the template.
func (*Welcome) Page() string { return "welcome" }

// Visit is a service that a session opened, and when.
type Visit struct {
	Service Service
	At      time.Time
}

// Warn asks before a session opens a service (CAS 2.2.1, warn). Its form posts
// Hidden, _eventId=proceed, and ignorewarn=true when the box is ticked.
type Warn struct {
	Frame
	// User is who would be known to the service.
	User string
	// Action is the path the form posts to; BasePath/login when empty.
	Action string
	// Hidden are the fields that bring the request back.
	Hidden []Field
	// CancelURL is where "cancel" leads; BasePath/login when empty.
	CancelURL string
}

// Page names the template.
func (*Warn) Page() string { return "warn" }

// Handoff takes the browser to a service by a form (CAS 2.1, method=POST). A
// script sends it; a button does where there is no script.
type Handoff struct {
	Frame
	// Action is the service's address, byte for byte: http or https, or
	// [Renderer.Write] answers with an error.
	Action string
	// Fields are what the service is given.
	Fields []Field
}

// Page names the template.
func (*Handoff) Page() string { return "handoff" }

// LoggedOut says that the session has ended (CAS 2.3).
type LoggedOut struct {
	Frame
	// ReturnURL leads back to a registered service: http(s), or not shown.
	ReturnURL string
	// LoginURL is a path; BasePath/login when empty.
	LoginURL string
	// Tell are addresses that the browser must call so that services close
	// their sessions (front channel): complete, http(s), of registered services.
	// The page calls them as images, so that nothing they answer runs;
	// [Renderer.Write] opens the content policy for their origins. Any other
	// address is left out.
	Tell []string
	// Next is where the browser goes by itself once all were called: http(s), of
	// a registered service, or "" to stay. It stands in for an empty ReturnURL.
	Next string
}

// Page names the template.
func (*LoggedOut) Page() string { return "logged-out" }

// Back is ReturnURL, or Next, when it may be a link, else "".
func (v *LoggedOut) Back() string {
	if back := linkable(v.ReturnURL); back != "" {
		return back
	}
	return v.Onward()
}

// Onward is Next when the browser may go there, else "".
func (v *LoggedOut) Onward() string {
	if isWeb(v.Next) {
		return v.Next
	}
	return ""
}

// Pictures are the addresses of Tell that are called.
func (v *LoggedOut) Pictures() []string {
	return slices.DeleteFunc(slices.Clone(v.Tell), func(address string) bool { return !isWeb(address) })
}

// Told is how many services that calls: addresses, whatever their queries.
func (v *LoggedOut) Told() int {
	told := map[string]bool{}
	for _, address := range v.Pictures() {
		address, _, _ = strings.Cut(address, "?")
		told[address] = true
	}
	return len(told)
}

// Refusal is why a service is not opened.
type Refusal string

// The refusals.
const (
	// UnknownService is not in the registry.
	UnknownService Refusal = "unknown"
	// DisabledService was switched off.
	DisabledService Refusal = "disabled"
	// ExpiredService was registered until a day that has passed.
	ExpiredService Refusal = "expired"
	// NoRight refuses the person, not the service.
	NoRight Refusal = "denied"
	// NoService is a login that must name a service and names none.
	NoService Refusal = "missing"
)

// Refused says that a service is not opened, and whom to ask.
type Refused struct {
	Frame
	// Reason is why; UnknownService when empty.
	Reason Refusal
	// User is who was refused, "" when nobody is logged in.
	User string
	// Contacts answer for the service; none means the help desk.
	Contacts []Contact
}

// Page names the template.
func (*Refused) Page() string { return "refused" }

// Contact is somebody who answers for a service.
type Contact struct{ Name, Mail, Phone string }

// Throttled says to wait after too many attempts. [Renderer.Write] sets
// Retry-After from Retry.
type Throttled struct {
	Frame
	// Retry is how long to wait.
	Retry time.Duration
}

// Page names the template.
func (*Throttled) Page() string { return "throttled" }

// Seconds is Retry in whole seconds, rounded up.
func (v *Throttled) Seconds() int { return seconds(v.Retry) }

// Minutes is Retry in whole minutes, rounded up, and at least one.
func (v *Throttled) Minutes() int { return max(1, (v.Seconds()+59)/60) }

// AccountState says why an account may not be used, once its password was
// proven.
type AccountState struct {
	Frame
	// State is any but identity.Active.
	State identity.State
	// User is the canonical login.
	User string
}

// Page names the template.
func (*AccountState) Page() string { return "account-state" }

// Error says that something went wrong.
type Error struct {
	Frame
	// Status is the HTTP status.
	Status int
	// Reference finds the request in the logs.
	Reference string
}

// Page names the template.
func (*Error) Page() string { return "error" }

// Kind picks the words: "missing" for a page that is not there, "request" for
// a request that cannot be answered, "server" for a fault of ours.
func (v *Error) Kind() string {
	switch {
	case v.Status == 404 || v.Status == 410:
		return "missing"
	case v.Status >= 400 && v.Status < 500:
		return "request"
	default:
		return "server"
	}
}

// Maintenance says to come back in a moment. [Renderer.Write] sets Retry-After
// from Retry; a script tries again by itself.
type Maintenance struct {
	Frame
	// Retry is when to try again; 30 seconds when 0.
	Retry time.Duration
	// Reference finds the request in the logs.
	Reference string
}

// Page names the template.
func (*Maintenance) Page() string { return "maintenance" }

// Seconds is Retry in whole seconds, rounded up.
func (v *Maintenance) Seconds() int {
	if v.Retry <= 0 {
		return 30
	}
	return seconds(v.Retry)
}

// seconds rounds up, so that nobody is told to come back too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
