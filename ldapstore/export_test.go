package ldapstore

// Verdict is open to tests for answers that slapd does not give.
var Verdict = verdict
