package services

import (
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// parseApereo reads an entry that Apereo CAS wrote. A file that cannot be read
// is broken; what this server does not do is a warning, or refuses the entry
// when it concerns matching, access, release or the user's name.
func parseApereo(f file, decode func([]byte) (any, error)) (*Service, []Fault) {
	in := &importer{file: f.path}
	if !utf8.Valid(f.data) {
		in.warn("", "is not UTF-8: accents are lost")
	}
	value, err := decode(f.data)
	if err != nil {
		in.broken("", "%v", err)
		return nil, in.faults
	}
	root, ok := value.(map[string]any)
	if !ok {
		in.broken("", "is not an object")
		return nil, in.faults
	}
	s := in.entry(in.open("", root, true))
	if s != nil {
		s.refused = in.refusal
	}
	return s, in.faults
}

type importer struct {
	file   string
	faults []Fault
	// refusal is the first reason to refuse the entry.
	refusal string
	// opened are all the objects read, for what is left in them.
	opened []*object
}

func (in *importer) open(key string, values map[string]any, strict bool) *object {
	o := &object{in: in, path: key, values: values, used: map[string]bool{}, strict: strict}
	in.opened = append(in.opened, o)
	return o
}

func (in *importer) add(level Level, key, format string, args ...any) {
	in.faults = append(in.faults, Fault{File: in.file, Key: key, Level: level, Message: fmt.Sprintf(format, args...)})
}

func (in *importer) warn(key, format string, args ...any) { in.add(Warning, key, format, args...) }

func (in *importer) broken(key, format string, args ...any) { in.add(Broken, key, format, args...) }

// wrong refuses the entry or only warns.
func (in *importer) wrong(refuse bool, key, format string, args ...any) {
	if refuse {
		in.refuse(key, format, args...)
	} else {
		in.warn(key, format, args...)
	}
}

func (in *importer) refuse(key, format string, args ...any) {
	in.add(Refused, key, format, args...)
	if in.refusal == "" {
		in.refusal = key + " " + fmt.Sprintf(format, args...)
	}
}

const misnamed = "the file should be called Name-id.json"

var apereoFile = regexp.MustCompile(`^.+-\d+\.(json|ya?ml)$`)

// entry reads the top of the file. It returns nil when the file is broken or
// is an entry for another protocol.
func (in *importer) entry(o *object) *Service {
	switch class := o.class(); class {
	case "CasRegisteredService", "RegexRegisteredService":
	case "":
		in.broken("@class", "is missing: it says what kind of entry this is")
		return nil
	default:
		in.warn("@class", "%s is not an entry for CAS: it is left aside and matches nothing", class)
		return nil
	}
	if !apereoFile.MatchString(path.Base(in.file)) {
		in.warn("", "%s", misnamed)
	}
	s := &Service{
		File: in.file, ID: o.integer("id"), Name: strings.TrimSpace(o.text("name")), Description: strings.TrimSpace(o.text("description")),
		Order: int(o.integer("evaluationOrder")), Theme: o.text("theme"), Locale: in.locale(o),
		Contacts: in.contacts(o), ResponseType: in.response(o), Protocols: in.protocols(o),
		enabled: true, AuthenticationAttributes: true,
	}
	if s.ID <= 0 {
		in.broken("id", "must be a positive number")
	}
	if s.Name == "" {
		s.Name = path.Base(in.file)
		in.warn("name", "is missing")
	}
	in.matching(o, s)
	in.pages(o, s)
	in.accessStrategy(o.child("accessStrategy", true), s)
	in.releasePolicy(o.child("attributeReleasePolicy", true), s)
	in.usernameProvider(o.child("usernameAttributeProvider", true), s)
	in.proxyPolicy(o.child("proxyPolicy", false), s)
	in.logout(o, s)
	in.lifetimes(o, s)
	in.expiration(o.child("expirationPolicy", true), s)
	in.participation(o.child("singleSignOnParticipationPolicy", false), s)
	in.demands(o)
	in.leftovers(o)
	if slices.ContainsFunc(in.faults, func(f Fault) bool { return f.Level == Broken }) {
		return nil
	}
	return s
}

// matching reads what the entry matches. Where it cannot be known, the whole
// file is broken; where it is only known too widely, the entry is refused.
func (in *importer) matching(o *object, s *Service) {
	id := o.text("serviceId")
	s.Patterns = []string{id}
	if id == "" {
		in.broken("serviceId", "is missing")
		return
	}
	if strings.Contains(id, "${") {
		in.broken("serviceId", "holds an expression to evaluate")
		return
	}
	whole := true
	if strategy := o.child("matchingStrategy", true); strategy != nil {
		fold := strategy.boolean("caseInsensitive", false)
		switch class := strategy.class(); class {
		case "FullRegexRegisteredServiceMatchingStrategy":
		case "PartialRegexRegisteredServiceMatchingStrategy":
			whole = false
		case "LiteralRegisteredServiceMatchingStrategy":
			s.matchers = []matcher{{kind: matchExact, source: id, text: id, fold: fold}}
		case "StartsWithRegisteredServiceMatchingStrategy":
			s.matchers = []matcher{{kind: matchPrefix, source: id, text: id, fold: fold}}
		default:
			in.broken("matchingStrategy", "%s is not known", class)
		}
		strategy.done()
	}
	if s.matchers != nil {
		return
	}
	m, problem, err := regexMatcher(id, whole)
	switch {
	case err != nil:
		in.broken("serviceId", "%v", err)
		return
	case problem != "":
		in.refuse("serviceId", "%s: write it another way, or use a url in our own format", problem)
	}
	s.matchers = []matcher{m}
}

func (in *importer) pages(o *object, s *Service) {
	s.InformationURL = in.page(o, "informationUrl")
	s.PrivacyURL = in.page(o, "privacyUrl")
	if s.RedirectURL = in.page(o, "redirectUrl"); s.RedirectURL != "" && !s.Matches(s.RedirectURL) {
		in.refuse("redirectUrl", "does not match the entry itself")
	}
	logo := o.text("logo")
	switch {
	case logo == "":
	case strings.Contains(logo, "://") || strings.HasPrefix(logo, "//"):
		in.warn("logo", "is on a web site: pages load nothing from elsewhere; put the file in %s/ and its name here", logoFolder)
	case logoType(logo) == "":
		in.warn("logo", "must be an svg, png, jpeg or webp file of %s/", logoFolder)
	default:
		s.Logo = path.Base(strings.ReplaceAll(logo, `\`, "/"))
	}
}

func (in *importer) page(o *object, name string) string {
	text := o.text(name)
	if text != "" && !Redirectable(text) {
		in.warn(name, "is not a full http or https URL; it is not used")
		return ""
	}
	return text
}

func (in *importer) contacts(o *object) []Contact {
	var list []Contact
	for _, c := range o.children("contacts", false) {
		list = append(list, Contact{
			Name: c.text("name"), Email: c.text("email"), Phone: c.text("phone"),
			Department: c.text("department"), Type: c.text("type"),
		})
		c.accept("id")
		c.done()
	}
	return list
}

func (in *importer) response(o *object) string {
	switch kind := strings.ToLower(o.text("responseType")); kind {
	case "", ResponseRedirect, ResponsePost, ResponseHeader:
		return kind
	default:
		in.warn("responseType", "%s is not known; the redirect is used", kind)
		return ""
	}
}

func (in *importer) locale(o *object) string {
	locale := o.text("locale")
	if locale != "" && !isSpoken(locale) {
		in.warn("locale", "%s is not spoken here: pages are in fr or en, as the person's browser asks", locale)
		return ""
	}
	return locale
}

// protocols keeps those this server speaks; an entry whose list has none of
// them speaks nothing.
func (in *importer) protocols(o *object) []string {
	var known []string
	given := o.list("supportedProtocols")
	for _, name := range given {
		switch name = strings.ToUpper(name); name {
		case CAS10, CAS20, CAS30, SAML1:
			known = append(known, name)
		default:
			in.warn("supportedProtocols", "%s is not spoken here", name)
		}
	}
	if len(given) > 0 && len(known) == 0 {
		in.refuse("supportedProtocols", "names no protocol that is spoken here")
	}
	return known
}

func (in *importer) logout(o *object, s *Service) {
	switch kind := strings.ToUpper(o.text("logoutType")); kind {
	case "", "BACK_CHANNEL":
		s.Logout.Type = LogoutBack
	case "FRONT_CHANNEL":
		s.Logout.Type = LogoutFront
	case "NONE":
		s.Logout.Type = LogoutNone
	default:
		s.Logout.Type = LogoutBack
		in.warn("logoutType", "%s is not known; the back channel is used", kind)
	}
	for _, given := range o.list("logoutUrl") {
		for text := range strings.SplitSeq(given, ",") {
			text = strings.TrimSpace(text)
			switch {
			case text == "":
			case !Redirectable(text) || strings.Contains(text, "${"):
				in.warn("logoutUrl", "is not a full http or https URL; it is not used")
			default:
				s.Logout.URLs = append(s.Logout.URLs, text)
			}
		}
	}
}

func (in *importer) lifetimes(o *object, s *Service) {
	l := &s.Lifetimes
	if p := o.child("serviceTicketExpirationPolicy", false); p != nil {
		l.ServiceTicket = in.lifetime(p, "timeToLive")
		if p.integer("numberOfUses") > 1 {
			in.warn(p.key("numberOfUses"), "a service ticket is good for one validation, always")
		}
		p.done()
	}
	if p := o.child("proxyTicketExpirationPolicy", false); p != nil {
		l.ProxyTicket = in.lifetime(p, "timeToLive")
		l.ProxyTicketUses = int(min(max(p.integer("numberOfUses"), 0), math.MaxInt32))
		p.done()
	}
	if p := o.child("proxyGrantingTicketExpirationPolicy", false); p != nil {
		l.ProxyGrantingTicket = in.lifetime(p, "maxTimeToLiveInSeconds")
		p.done()
	}
	if p := o.child("ticketGrantingTicketExpirationPolicy", false); p != nil {
		l.Session = in.lifetime(p, "maxTimeToLiveInSeconds")
		if p.has("userAgents") {
			in.warn(p.key("userAgents"), "is not supported: a session lives as long with every browser")
		}
		p.done()
	}
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$`)

// lifetime reads seconds or an ISO 8601 duration. What cannot be read, and what
// is without end, is left to the server's own limits.
func (in *importer) lifetime(o *object, name string) time.Duration {
	text := strings.ToUpper(strings.TrimSpace(o.text(name)))
	if text == "" {
		return 0
	}
	var seconds float64
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		seconds = float64(n)
	} else if parts := isoDuration.FindStringSubmatch(text); parts != nil {
		for i, unit := range []float64{86400, 3600, 60, 1} {
			n, _ := strconv.ParseFloat("0"+parts[i+1], 64)
			seconds += n * unit
		}
	}
	if seconds <= 0 || seconds > math.MaxInt32 {
		in.warn(o.key(name), "is not a number of seconds or an ISO 8601 duration; the server's own is used")
		return 0
	}
	return time.Duration(seconds) * time.Second
}
