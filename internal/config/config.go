package config

import "time"

// Config is the whole of parvis.yaml, defaults filled in. The sample file,
// deploy/parvis.sample.yaml, says what each key means.
type Config struct {
	URL            string     `yaml:"url"`
	Listen         string     `yaml:"listen"`
	Notice         Duration   `yaml:"notice"`
	Drain          Duration   `yaml:"drain"`
	TLS            TLS        `yaml:"tls"`
	Operations     Operations `yaml:"operations"`
	TrustedProxies []Prefix   `yaml:"trusted_proxies"`
	University     University `yaml:"university"`
	Language       string     `yaml:"language"`
	TimeZone       string     `yaml:"time_zone"`
	Theme          Path       `yaml:"theme"`
	Secrets        Secrets    `yaml:"secrets"`
	Directory      Directory  `yaml:"directory"`
	Tickets        Tickets    `yaml:"tickets"`
	Sessions       Sessions   `yaml:"sessions"`
	Services       Services   `yaml:"services"`
	Outgoing       Outgoing   `yaml:"outgoing"`
	Logout         Logout     `yaml:"logout"`
	REST           REST       `yaml:"rest"`
	Throttle       Throttle   `yaml:"throttle"`
	Login          Login      `yaml:"login"`
	Log            Log        `yaml:"log"`
}

// TLS is the certificate of the public listener. Both empty: plain HTTP,
// behind a proxy that ends TLS.
type TLS struct {
	Certificate Path `yaml:"certificate"`
	Key         Path `yaml:"key"`
}

// Enabled tells whether the public listener speaks TLS itself.
func (t TLS) Enabled() bool { return t.Certificate != "" }

// Operations is the listener of probes, metrics and the operators' pages.
type Operations struct {
	Listen string `yaml:"listen"`
	// Password opens the pages; without one they stay closed.
	Password Secret `yaml:"password"`
}

// Text is a short text in the languages of the pages.
type Text struct {
	FR string `yaml:"fr"`
	EN string `yaml:"en"`
}

// University is what the pages say of the institution.
type University struct {
	Name string `yaml:"name"`
	// ShortName is the name that people use.
	ShortName Text   `yaml:"short_name"`
	URL       string `yaml:"url"`
	Help      Help   `yaml:"help"`
	Links     Links  `yaml:"links"`
	// Accessibility is what the statement of accessibility declares: none,
	// partial or full.
	Accessibility string `yaml:"accessibility"`
}

// Help is whom people turn to.
type Help struct {
	Phone string `yaml:"phone"`
	Mail  string `yaml:"mail"`
	Hours Text   `yaml:"hours"`
	URL   string `yaml:"url"`
}

// Links are the ways out of the login page; an empty one is not shown.
type Links struct {
	Home          string `yaml:"home"`
	Forgot        string `yaml:"forgot"`
	Activate      string `yaml:"activate"`
	Accessibility string `yaml:"accessibility"`
	Legal         string `yaml:"legal"`
	Privacy       string `yaml:"privacy"`
}

// Secrets are the keys that seal sessions and forms.
type Secrets struct {
	// Keys in the order of the file: the first seals, all open. There is no
	// default.
	Keys Keys `yaml:"keys"`
}

// Directory is where people are: one of LDAP and LDIF.
type Directory struct {
	LDAP *LDAP `yaml:"ldap"`
	LDIF Path  `yaml:"ldif"`
}

// LDAP is a directory asked over the network.
type LDAP struct {
	URLs            []string `yaml:"urls"`
	StartTLS        bool     `yaml:"start_tls"`
	ClearText       bool     `yaml:"clear_text"`
	CAFile          Path     `yaml:"ca_file"`
	BindDN          string   `yaml:"bind_dn"`
	BindPassword    Secret   `yaml:"bind_password"`
	Base            string   `yaml:"base"`
	PeopleFilter    string   `yaml:"people_filter"`
	UIDAttribute    string   `yaml:"uid_attribute"`
	LoginAttributes []string `yaml:"login_attributes"`
	// Attributes empty stands for the usual ones, which ldapstore lists.
	Attributes        []string `yaml:"attributes"`
	GroupBase         string   `yaml:"group_base"`
	DecoyDN           string   `yaml:"decoy_dn"`
	Timeout           Duration `yaml:"timeout"`
	SearchConnections int      `yaml:"search_connections"`
	BindConnections   int      `yaml:"bind_connections"`
}

func (l *LDAP) setDefaults() {
	*l = LDAP{
		PeopleFilter:      "(objectClass=person)",
		UIDAttribute:      "uid",
		LoginAttributes:   []string{"uid", "supannAliasLogin", "mail"},
		Timeout:           Duration(3 * time.Second),
		SearchConnections: 4,
		BindConnections:   32,
	}
}

// Tickets is where sessions are kept: in this process, unless Redis is given.
type Tickets struct {
	ServiceTicket Duration `yaml:"service_ticket"`
	ProxyTicket   Duration `yaml:"proxy_ticket"`
	Redis         *Redis   `yaml:"redis"`
}

// Redis is a ticket store that several nodes share.
type Redis struct {
	URL         string   `yaml:"url"`
	Username    string   `yaml:"username"`
	Password    Secret   `yaml:"password"`
	CAFile      Path     `yaml:"ca_file"`
	Prefix      string   `yaml:"prefix"`
	Timeout     Duration `yaml:"timeout"`
	Connections int      `yaml:"connections"`
}

func (r *Redis) setDefaults() {
	*r = Redis{Prefix: "parvis:", Timeout: Duration(time.Second), Connections: 32}
}

// Sessions says how long a login lasts.
type Sessions struct {
	Idle              Duration   `yaml:"idle"`
	Max               Duration   `yaml:"max"`
	RememberMe        RememberMe `yaml:"remember_me"`
	PerPerson         int        `yaml:"per_person"`
	PublicWorkstation bool       `yaml:"public_workstation"`
	Cookie            Cookie     `yaml:"cookie"`
}

// RememberMe is the pair of limits of a long login, on the person's wish.
type RememberMe struct {
	Enabled bool     `yaml:"enabled"`
	Idle    Duration `yaml:"idle"`
	Max     Duration `yaml:"max"`
}

// Cookie is the ticket-granting cookie.
type Cookie struct {
	Name string `yaml:"name"`
	// Secure is auto (when the public URL is https), always or never.
	Secure string `yaml:"secure"`
	// SameSite is lax, strict or none.
	SameSite string `yaml:"same_site"`
}

// Services is the folder of registered services.
type Services struct {
	Folder Path     `yaml:"folder"`
	Reload Duration `yaml:"reload"`
}

// Outgoing bounds the requests that the server sends to applications: proxy
// call-backs and logout requests.
type Outgoing struct {
	// Networks are private ranges that every registered application may be in.
	Networks []Prefix `yaml:"networks"`
	CAFile   Path     `yaml:"ca_file"`
	Timeout  Duration `yaml:"timeout"`
}

// Logout is how applications hear that a session has ended.
type Logout struct {
	// Tell is every, or newest: which of the tickets of an application it is
	// told of.
	Tell string `yaml:"tell"`
	// Suspended is how often the directory is asked whose account was stopped.
	Suspended Duration `yaml:"suspended"`
}

// REST is the interface for programs that log people in without a browser.
type REST struct {
	Enabled bool `yaml:"enabled"`
	// Publish, where given, lets people with this attribute register services.
	Publish *Publish `yaml:"publish"`
}

// Publish names an attribute, and the value that gives a right.
type Publish struct {
	Attribute string `yaml:"attribute"`
	Value     string `yaml:"value"`
}

// Throttle bounds failed logins.
type Throttle struct {
	AccountAndAddress Limit `yaml:"account_and_address"`
	Address           Limit `yaml:"address"`
	Account           Limit `yaml:"account"`
}

// Limit allows so many failures at once, and one more each time.
type Limit struct {
	Burst int      `yaml:"burst"`
	Every Duration `yaml:"every"`
}

// Login bounds how long a login form lives, and how many passwords are checked
// at once.
type Login struct {
	Form       Duration `yaml:"form"`
	Concurrent int      `yaml:"concurrent"`
	Wait       Duration `yaml:"wait"`
}

// Log says what is written, and where.
type Log struct {
	Level string `yaml:"level"`
	Audit Path   `yaml:"audit"`
}

// Default returns a Config that holds every default and nothing else. It does
// not pass [Config.Validate]: a site must say who it is and give its keys.
func Default() Config {
	return Config{
		Listen:     "localhost:8080",
		Drain:      Duration(20 * time.Second),
		Operations: Operations{Listen: "localhost:9180"},
		University: University{Accessibility: "none"},
		Language:   "fr",
		TimeZone:   "Europe/Paris",
		Tickets:    Tickets{ServiceTicket: Duration(10 * time.Second), ProxyTicket: Duration(10 * time.Second)},
		Sessions: Sessions{
			Idle: Duration(2 * time.Hour),
			Max:  Duration(8 * time.Hour),
			RememberMe: RememberMe{
				Idle: Duration(7 * day),
				Max:  Duration(30 * day),
			},
			PerPerson:         50,
			PublicWorkstation: true,
			Cookie:            Cookie{Name: "TGC", Secure: "auto", SameSite: "lax"},
		},
		Services: Services{Reload: Duration(5 * time.Second)},
		Outgoing: Outgoing{Timeout: Duration(5 * time.Second)},
		Logout:   Logout{Tell: "every", Suspended: Duration(30 * time.Second)},
		Throttle: Throttle{
			AccountAndAddress: Limit{Burst: 5, Every: Duration(time.Minute)},
			Address:           Limit{Burst: 200, Every: Duration(600 * time.Millisecond)},
			Account:           Limit{Burst: 60, Every: Duration(20 * time.Second)},
		},
		Login: Login{Form: Duration(time.Hour), Concurrent: 32, Wait: Duration(3 * time.Second)},
		Log:   Log{Level: "info"},
	}
}
