// Package conformance tells, rule by rule, whether a server speaks CAS: the
// protocol of the CAS Protocol Specification 3.0.3, and what the clients of the
// last twenty years need besides.
//
// It sees a running server by its address and nothing of its inside: it imports
// no other package of Parvis, so that what it holds of one server can be asked
// of another. [Statements] lists what is asked, by the ids of the rules that
// [Rows] lists; [Run] asks it and [Report] prints the verdicts.
//
// It must never take a rule for held that nothing could have shown broken: a
// rule without a check is listed as not tested, with the reason.
//
// `make conformance` runs it against the program, with a directory and Redis,
// and docs/conformance.md keeps what it said.
package conformance
