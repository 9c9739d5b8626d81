package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// check is one row of a table of faults.
type check struct {
	bad     bool
	where   string
	message string
}

func faultsOf(tables ...[]check) []Fault {
	var out []Fault
	for _, table := range tables {
		for _, row := range table {
			if row.bad {
				out = append(out, Fault{Where: row.where, Message: row.message})
			}
		}
	}
	return out
}

// validate tells every fault that one value, or several together, make.
func (c Config) validate() []Fault {
	tables := [][]check{c.checkAddresses(), c.checkPages(), c.checkDirectory(), c.checkTickets(), c.checkSessions(), c.checkLimits(), c.checkOutgoing()}
	for _, message := range c.Secrets.Keys.faults() {
		tables = append(tables, []check{{true, "secrets.keys", message}})
	}
	return faultsOf(tables...)
}

// warnings tells what works and deserves a second thought.
func (c Config) warnings() []Fault {
	table := []check{
		{c.Tickets.Redis == nil, "tickets.redis", "without Redis, a restart logs everybody out and a second node shares nothing"},
		{c.Sessions.Cookie.Secure == "never", "sessions.cookie.secure", "the cookie that opens every service travels in the clear"},
	}
	if l := c.Directory.LDAP; l != nil {
		table = append(
			table,
			check{l.DecoyDN == "", "directory.ldap.decoy_dn", "without an entry to refuse binds on, an unknown login is answered faster than a wrong password where the directory's hashes are slow"},
		)
	}
	if r := c.Tickets.Redis; r != nil {
		table = append(
			table,
			check{r.inTheClear(), "tickets.redis.url", "the password of Redis and who visits what travel in the clear: use rediss://"},
			check{r.Password == "" && !strings.HasPrefix(r.URL, "unix:"), "tickets.redis.password", "Redis asks for no password: give Parvis an ACL user of its own"},
		)
	}
	return faultsOf(table)
}

// inTheClear tells whether anything is said without TLS to a server on another
// machine.
func (r *Redis) inTheClear() bool {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "redis" && !strings.HasPrefix(u.Scheme, "redis+") {
		return false
	}
	return slices.ContainsFunc(append(u.Query()["addr"], u.Host), func(address string) bool {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		return !loopbackHost(strings.Trim(host, "[]"))
	})
}

func (c Config) checkAddresses() []check {
	const example = "as https://cas.univ.example/cas"
	u, err := url.Parse(c.URL)
	if err != nil {
		u = &url.URL{}
	}
	publicURL := u.Scheme == "https" || u.Scheme == "http"
	table := []check{
		{c.URL == "", "url", "give the address that browsers know this server by, " + example},
		{c.URL != "" && (!publicURL || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != ""), "url", "write scheme, host and path only, " + example},
		{u.Scheme == "http" && !loopbackHost(u.Hostname()), "url", "passwords need https: plain http is for localhost only"},
		{u.Host != "" && strings.Trim(u.Path, "/") == "", "url", "add a path, " + example + ": the session's cookie is for that path only"},
		{c.URL != "" && strings.HasSuffix(c.URL, "/"), "url", "leave the last / out"},
		{c.Notice.D() > 2*time.Minute, "notice", "write 2m or less"},
		{c.Drain.D() < time.Second || c.Drain.D() > 10*time.Minute, "drain", "write a time between 1s and 10m"},
		{!address(c.Listen), "listen", `write host:port, as "localhost:8080" or ":8443"`},
		{c.Operations.Listen != "" && !address(c.Operations.Listen), "operations.listen", `write host:port, as "localhost:9180"`},
		{c.Operations.Listen == c.Listen, "operations.listen", "probes and metrics need a port of their own: the public must not reach them"},
		{(c.TLS.Certificate == "") != (c.TLS.Key == ""), "tls", "give certificate and key together"},
	}
	table = append(table, unreadable("tls.certificate", c.TLS.Certificate), unreadable("tls.key", c.TLS.Key))
	for i, prefix := range c.TrustedProxies {
		table = append(table, check{prefix.IsValid() && prefix.Bits() == 0, fmt.Sprintf("trusted_proxies[%d]", i), "this trusts the whole world: name your proxies"})
	}
	return table
}

func (c Config) checkPages() []check {
	links := c.University.Links
	_, zone := time.LoadLocation(c.TimeZone)
	table := []check{
		{c.University.Name == "", "university.name", "give the name that the pages show"},
		{c.University.Help == Help{}, "university.help", "give one way to get help at least: phone, mail or url"},
		{!slices.Contains([]string{"fr", "en"}, c.Language), "language", "write fr or en"},
		{zone != nil, "time_zone", "write the name of a time zone, as Europe/Paris"},
		{!slices.Contains([]string{"none", "partial", "full"}, c.University.Accessibility), "university.accessibility", "write none, partial or full"},
		folder("theme", c.Theme),
		{c.Services.Folder == "", "services.folder", "give the folder of your services' files: without one nobody can log in anywhere"},
		folder("services.folder", c.Services.Folder),
		{c.Services.Reload.D() < time.Second, "services.reload", "write 1s or more"},
		{!slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", "write debug, info, warn or error"},
	}
	for _, link := range []struct{ where, value string }{
		{"university.url", c.University.URL},
		{"university.links.home", links.Home},
		{"university.help.url", c.University.Help.URL},
		{"university.links.forgot", links.Forgot},
		{"university.links.activate", links.Activate},
		{"university.links.accessibility", links.Accessibility},
		{"university.links.legal", links.Legal},
		{"university.links.privacy", links.Privacy},
	} {
		table = append(table, check{link.value != "" && !webLink(link.value), link.where, "write an address that begins with https://, http:// or /"})
	}
	return table
}

func (c Config) checkDirectory() []check {
	l := c.Directory.LDAP
	table := []check{
		{l == nil && c.Directory.LDIF == "", "directory", "say where people are: ldap, or ldif for a file (`parvis demo` has one built in)"},
		{l != nil && c.Directory.LDIF != "", "directory", "give ldap or ldif, not both"},
		unreadable("directory.ldif", c.Directory.LDIF),
	}
	if l == nil {
		return table
	}
	const at = "directory.ldap."
	table = append(
		table,
		check{len(l.URLs) == 0, at + "urls", "give one address at least, as ldaps://ldap.univ.example"},
		check{l.Base == "", at + "base", "give the branch that people are below, as ou=people,dc=univ,dc=example"},
		check{!strings.HasPrefix(l.PeopleFilter, "(") || !strings.HasSuffix(l.PeopleFilter, ")"), at + "people_filter", "write a filter in brackets, as (objectClass=person)"},
		check{len(l.LoginAttributes) == 0, at + "login_attributes", "give one attribute at least that people log in by, as uid"},
		check{l.BindDN == "", at + "bind_dn", "give the account that searches, as cn=parvis,ou=admin,dc=univ,dc=example"},
		check{l.BindPassword == "", at + "bind_password", "give the password of bind_dn, here or in bind_password_file"},
		check{l.UIDAttribute == "", at + "uid_attribute", "give the attribute that holds the login, as uid"},
		check{l.Timeout.D() < 100*time.Millisecond || l.Timeout.D() > time.Minute, at + "timeout", "write a time between 100ms and 1m"},
		check{l.SearchConnections < 1, at + "search_connections", "write 1 or more"},
		check{l.BindConnections < 1, at + "bind_connections", "write 1 or more"},
		unreadable(at+"ca_file", l.CAFile),
	)
	for i, address := range l.URLs {
		where := fmt.Sprintf("%surls[%d]", at, i)
		u, err := url.Parse(address)
		if err != nil {
			u = &url.URL{}
		}
		known := slices.Contains([]string{"ldap", "ldaps"}, u.Scheme) && u.Host != "" || u.Scheme == "ldapi"
		readable := u.Scheme == "ldap" && !l.StartTLS && !l.ClearText && !loopbackHost(u.Hostname())
		table = append(
			table,
			check{!known, where, "write ldaps://host, ldap://host or ldapi://%2Fpath%2Fof%2Fthe%2Fsocket"},
			check{readable, where, "passwords would travel in the clear: use ldaps://, or start_tls: true"},
			check{u.Scheme == "ldaps" && l.StartTLS, where, "ldaps:// is encrypted from the start: leave start_tls out"},
		)
	}
	return table
}

func (c Config) checkTickets() []check {
	st, pt := c.Tickets.ServiceTicket.D(), c.Tickets.ProxyTicket.D()
	table := []check{
		{st < time.Second || st > 5*time.Minute, "tickets.service_ticket", "write a time between 1s and 5m: a ticket that lives longer can be stolen"},
		{pt < time.Second || pt > 5*time.Minute, "tickets.proxy_ticket", "write a time between 1s and 5m: a ticket that lives longer can be stolen"},
	}
	r := c.Tickets.Redis
	if r == nil {
		return table
	}
	const at = "tickets.redis."
	u, err := url.Parse(r.URL)
	if err != nil {
		u = &url.URL{}
	}
	sentinel := u.Scheme == "redis+sentinel" || u.Scheme == "rediss+sentinel"
	cluster := u.Scheme == "redis+cluster" || u.Scheme == "rediss+cluster"
	one := u.Scheme == "redis" || u.Scheme == "rediss" || u.Scheme == "unix"
	return append(
		table,
		check{
			!one && !sentinel && !cluster, at + "url",
			"write rediss://host:6379/0, redis://localhost:6379/0, unix:///path/of/the/socket, rediss+sentinel://host:26379/0?master_name=name or rediss+cluster://host:6379",
		},
		check{sentinel && u.Query().Get("master_name") == "", at + "url", "name the master that the Sentinels watch: ?master_name=name"},
		check{u.Query().Has("username") || u.Query().Has("password"), at + "url", "take the name and password out of the query: give username and password_file"},
		check{u.User != nil && !sentinel, at + "url", "take the name and password out of the address: give username and password_file"},
		check{r.Username != "" && r.Password == "", at + "password", "username needs password, or password_file"},
		check{r.Timeout.D() < 50*time.Millisecond || r.Timeout.D() > 30*time.Second, at + "timeout", "write a time between 50ms and 30s"},
		check{r.Connections < 1, at + "connections", "write 1 or more"},
		unreadable(at+"ca_file", r.CAFile),
	)
}

func (c Config) checkSessions() []check {
	s, long := c.Sessions, c.Sessions.RememberMe
	const at = "sessions."
	return []check{
		{s.Idle.D() < time.Minute, at + "idle", "write 1m or more"},
		{s.Max.D() < s.Idle.D(), at + "max", "write at least as long as sessions.idle"},
		{s.Max.D() > 7*day, at + "max", "write 7d or less: longer is what remember_me is for"},
		{long.Idle.D() < s.Idle.D(), at + "remember_me.idle", "write at least as long as sessions.idle"},
		{long.Max.D() < long.Idle.D(), at + "remember_me.max", "write at least as long as sessions.remember_me.idle"},
		{long.Max.D() > 90*day, at + "remember_me.max", "write 90d or less: the protocol allows no more than three months"},
		{s.PerPerson < 1, at + "per_person", "write 1 or more"},
		{!cookieName(s.Cookie.Name), at + "cookie.name", "write letters, digits, - and _ only, as TGC"},
		{!slices.Contains([]string{"auto", "always", "never"}, s.Cookie.Secure), at + "cookie.secure", "write auto, always or never"},
		{s.Cookie.Secure == "never" && strings.HasPrefix(c.URL, "https:"), at + "cookie.secure", "write auto: the public address is https"},
		{!slices.Contains([]string{"lax", "strict", "none"}, s.Cookie.SameSite), at + "cookie.same_site", "write lax, strict or none"},
	}
}

func (c Config) checkLimits() []check {
	table := []check{
		{c.Login.Form.D() < time.Minute || c.Login.Form.D() > day, "login.form", "write a time between 1m and 1d"},
		{c.Login.Concurrent < 1, "login.concurrent", "write 1 or more"},
		{c.Login.Wait.D() > 30*time.Second, "login.wait", "write 30s or less: nobody waits longer"},
		{
			c.Throttle.Account.Every*2 > c.Throttle.AccountAndAddress.Every, "throttle.account.every",
			"write half of throttle.account_and_address.every or less: else one address alone closes an account to its owner",
		},
	}
	for _, limit := range []struct {
		where string
		Limit
	}{
		{"throttle.account_and_address", c.Throttle.AccountAndAddress},
		{"throttle.address", c.Throttle.Address},
		{"throttle.account", c.Throttle.Account},
	} {
		table = append(
			table,
			check{limit.Burst < 1, limit.where + ".burst", "write 1 or more"},
			check{limit.Every.D() < time.Millisecond, limit.where + ".every", "write 1ms or more"},
		)
	}
	return table
}

func (c Config) checkOutgoing() []check {
	out, every := c.Outgoing, c.Logout.Suspended.D()
	table := []check{
		{out.Timeout.D() < 100*time.Millisecond || out.Timeout.D() > 10*time.Second, "outgoing.timeout", "write a time between 100ms and 10s: a validation waits for a call-back"},
		unreadable("outgoing.ca_file", out.CAFile),
		{c.Logout.Tell != "every" && c.Logout.Tell != "newest", "logout.tell", "write every or newest"},
		{every != 0 && (every < time.Second || every > time.Hour), "logout.suspended", "write a time between 1s and 1h, or 0s not to ask"},
		{c.Operations.Password != "" && len(c.Operations.Password) < minPassword, "operations.password", fmt.Sprintf("write %d characters or more", minPassword)},
	}
	for i, network := range out.Networks {
		table = append(table, check{network.IsValid() && network.Bits() == 0, fmt.Sprintf("outgoing.networks[%d]", i), "this opens every address: name your networks"})
	}
	if p := c.REST.Publish; p != nil {
		table = append(
			table,
			check{!c.REST.Enabled, "rest.publish", "only goes with rest.enabled: true"},
			check{p.Attribute == "" || p.Value == "", "rest.publish", "give attribute and value: who has it may register services"},
		)
	}
	return table
}

// minPassword is how many characters a password needs that nobody types.
const minPassword = 16

func unreadable(where string, path Path) check {
	if path == "" {
		return check{}
	}
	file, err := os.Open(string(path))
	if err != nil {
		return check{true, where, "the file cannot be read: " + reason(err)}
	}
	_ = file.Close()
	return check{}
}

func folder(where string, path Path) check {
	if path == "" {
		return check{}
	}
	_, err := os.ReadDir(string(path))
	if err != nil {
		return check{true, where, "the folder cannot be read: " + reason(err)}
	}
	return check{}
}

// address accepts host:port, the host being optional.
func address(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}

func loopbackHost(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && addr.IsLoopback()
}

func webLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") || strings.HasPrefix(s, "/") && u.Host == "")
}

func cookieName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
