// Package ldapstore asks a university's LDAP directory who somebody is and
// whether their password is right.
//
// A login is one search, on a few connections that stay bound as Parvis and carry
// many searches at once, then one bind as the person, on connections of their own
// that carry one bind at a time and never a search. A login may be a uid, an
// alias or a mail address, in any case; the answer is always the canonical uid.
// A login that nobody has costs a bind too, as a decoy; who calls levels what
// difference is left.
//
// Sessions last longer than the leave to have one: [Store.Stopped] lists whose
// account was stopped lately, by whichever tool, for a server that ends them. It
// wants an equality index on modifyTimestamp.
//
// The state of an account is told only to who proved its password: until then
// every refusal is [identity.ErrBadCredentials]. A directory that cannot be asked
// is [identity.ErrUnavailable], within [Options.Timeout], and is found again
// without anybody's help when it comes back.
//
// The package never keeps a password, never follows a referral, never sends a
// password over an unprotected network and never reads a request of HTTP. Only
// cmd/parvis imports it; cas and account see it through interfaces of their own.
package ldapstore
