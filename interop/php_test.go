package interop_test

import (
	"os"
	"path/filepath"
	"strings"
)

// php starts an application with phpCAS that speaks a protocol: 1, 2, 3 or saml.
func (s *site) php(protocol string) *application {
	s.t.Helper()
	installed(s.t, "/usr/share/php/CAS/CAS.php", "php-cas")
	a := s.application("php-cgi", "php-cgi", "php/application.php", "REDIRECT_STATUS=200", "APP_PROTOCOL="+protocol)
	a.set("PHPRC", a.folder)
	// The cookies of each application have a name of their own, since all share
	// a host name; the script trusts the test's authority.
	ini := strings.Join([]string{
		"session.save_path=" + a.folder, "session.name=php" + a.url[strings.LastIndex(a.url, ":")+1:],
		"include_path=.:/usr/share/php:/usr/share/php/CAS", "curl.cainfo=" + s.caFile(), "openssl.cafile=" + s.caFile(),
		"display_errors=1", "html_errors=0", "error_reporting=E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED", "",
	}, "\n")
	if err := os.WriteFile(filepath.Join(a.folder, "php.ini"), []byte(ini), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return a
}
