package services

// ownFile is our own format, as it is written.
type ownFile struct {
	ID          int64    `yaml:"id"`
	Name        string   `yaml:"name"`
	Description ownText  `yaml:"description"`
	Match       ownMatch `yaml:"match"`
	Order       int      `yaml:"order"`
	Enabled     *bool    `yaml:"enabled"`
	// Refused closes the entry, and says why: an import writes it.
	Refused        string       `yaml:"refused"`
	Valid          ownPeriods   `yaml:"valid"`
	Access         ownAccess    `yaml:"access"`
	SSO            ownSSO       `yaml:"sso"`
	Release        ownRelease   `yaml:"release"`
	Username       ownUsername  `yaml:"username"`
	Proxy          ownMatch     `yaml:"proxy"`
	Logout         ownLogout    `yaml:"logout"`
	Lifetimes      ownLifetimes `yaml:"lifetimes"`
	Protocols      ownList      `yaml:"protocols"`
	Response       string       `yaml:"response"`
	RedirectURL    string       `yaml:"redirect_url"`
	Contacts       []Contact    `yaml:"contacts"`
	Networks       ownList      `yaml:"networks"`
	Logo           string       `yaml:"logo"`
	Theme          string       `yaml:"theme"`
	Locale         string       `yaml:"locale"`
	InformationURL string       `yaml:"information_url"`
	PrivacyURL     string       `yaml:"privacy_url"`
}

// ownMatch says which URLs: below one (url), one only (exact), by an expression
// over the whole text (regex), by one found anywhere in it (search), or by their
// beginning (prefix). A bare text or list means url.
type ownMatch struct {
	URL    ownList `yaml:"url"`
	Exact  ownList `yaml:"exact"`
	Regex  ownList `yaml:"regex"`
	Search ownList `yaml:"search"`
	Prefix ownList `yaml:"prefix"`
	// IgnoreCase is for exact and prefix; expressions never look at case.
	IgnoreCase bool `yaml:"ignore_case"`
}

// ownAccess says who. All the keys given must be satisfied.
type ownAccess struct {
	// Require: each attribute has one of its values.
	Require map[string]ownRule `yaml:"require"`
	// RequireAny: one of the attributes has one of its values.
	RequireAny map[string]ownRule `yaml:"require_any"`
	// Reject: no attribute has any of its values.
	Reject map[string]ownRule `yaml:"reject"`
	// Groups: memberOf has one of these names.
	Groups ownList `yaml:"groups"`
	// Users: the person is one of these uids.
	Users ownList `yaml:"users"`
	// AllOf and AnyOf are rules of their own, which must all let the person in,
	// or one of them.
	AllOf []ownAccess `yaml:"all_of"`
	AnyOf []ownAccess `yaml:"any_of"`
	// Valid and Enabled are for the rules of AllOf and AnyOf; the entry has its
	// own.
	Valid     ownPeriods `yaml:"valid"`
	Enabled   *bool      `yaml:"enabled"`
	DeniedURL string     `yaml:"denied_url"`
}

// ownRule says which values of an attribute: these, with "*" for any text, or
// by an expression over the whole value (regex) or found in it (search). A bare
// text or list means values.
type ownRule struct {
	Values     ownList `yaml:"values"`
	Regex      ownList `yaml:"regex"`
	Search     ownList `yaml:"search"`
	IgnoreCase bool    `yaml:"ignore_case"`
}

// ownPeriods is when the entry is open: one period, or any of several.
type ownPeriods []ownPeriod

type ownPeriod struct {
	From  string `yaml:"from"`
	Until string `yaml:"until"`
	// Zone is that of the days and hours that give none.
	Zone string `yaml:"zone"`
	// NoticeDays: how long before its end lint tells.
	NoticeDays int `yaml:"notice_days"`
}

// ownSSO says when an open session is enough. A bare false means never.
type ownSSO struct {
	Enabled *bool     `yaml:"enabled"`
	MaxAge  string    `yaml:"max_age"`
	Who     ownAccess `yaml:"who"`
	// CookieOnRenew: a password asked for anew opens a session.
	CookieOnRenew *bool `yaml:"cookie_on_renew"`
}

// ownRelease says what is told. A bare text or list means attributes.
type ownRelease struct {
	// Chain holds policies of their own; Merge says what becomes of an
	// attribute that two of them release.
	Chain      []ownRelease `yaml:"chain"`
	Merge      string       `yaml:"merge"`
	Attributes ownList      `yaml:"attributes"`
	All        bool         `yaml:"all"`
	Except     ownList      `yaml:"except"`
	// Rename: directory's name to the application's name or names.
	Rename map[string]ownList `yaml:"rename"`
	// Matching: of these attributes, the values that match, written another way.
	Matching map[string]ownRewrite `yaml:"matching"`
	// Constant: the same for everybody.
	Constant map[string]ownList `yaml:"constant"`
	// UIDAs releases the login name as an attribute of this name.
	UIDAs string `yaml:"uid_as"`
	// Only: of these attributes, by their released name, only these values.
	Only map[string]ownRule `yaml:"only"`
	// Filters come after, one after the other.
	Filters []ownFilter `yaml:"filters"`
	// Authentication: the three attributes about the login itself.
	Authentication *bool `yaml:"authentication"`

	given bool
}

// ownFilter is one of only, never and rewrite, by released name; "*" stands for
// the names that are not there.
type ownFilter struct {
	Only    map[string]ownRule     `yaml:"only"`
	Never   map[string]ownRule     `yaml:"never"`
	Rewrite map[string]ownRewrites `yaml:"rewrite"`
	// DropOthers drops the attributes that have no rule.
	DropOthers bool `yaml:"drop_others"`
}

// ownRewrite says which values, and what to write instead, with $1 for the first
// group. A bare text means search.
type ownRewrite struct {
	Regex      string `yaml:"regex"`
	Search     string `yaml:"search"`
	To         string `yaml:"to"`
	IgnoreCase bool   `yaml:"ignore_case"`
}

type ownRewrites []ownRewrite

// ownUsername says what the application calls people. A bare text means
// attribute.
type ownUsername struct {
	Attribute    string `yaml:"attribute"`
	Static       string `yaml:"static"`
	PairwiseSalt string `yaml:"pairwise_salt"`
	// PairwiseOf is the attribute that pseudonyms are made of, else the uid.
	PairwiseOf string `yaml:"pairwise_of"`
	Case       string `yaml:"case"`
	// Remove is an expression: what it finds is taken away.
	Remove string `yaml:"remove"`
	Scope  string `yaml:"scope"`
}

// ownLogout says how the application hears of a logout. A bare text means type.
type ownLogout struct {
	Type string  `yaml:"type"`
	URL  ownList `yaml:"url"`
}

type ownLifetimes struct {
	ServiceTicket       string `yaml:"service_ticket"`
	ProxyTicket         string `yaml:"proxy_ticket"`
	ProxyTicketUses     int    `yaml:"proxy_ticket_uses"`
	ProxyGrantingTicket string `yaml:"proxy_granting_ticket"`
	Session             string `yaml:"session"`
}
