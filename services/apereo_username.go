package services

import "strings"

func (in *importer) usernameProvider(o *object, s *Service) {
	if o == nil {
		return
	}
	u := &s.username
	switch class := o.class(); class {
	case "DefaultRegisteredServiceUsernameProvider":
	case "PrincipalAttributeRegisteredServiceUsernameProvider":
		u.kind, u.attribute = usernameAttribute, o.text("usernameAttribute")
		if u.attribute == "" || isSecret(u.attribute) {
			in.refuse(o.key("usernameAttribute"), "must name an attribute that may be told")
		}
	case "StaticRegisteredServiceUsernameProvider":
		u.kind, u.value = usernameStatic, o.text("value")
		if u.value == "" {
			in.refuse(o.key("value"), "is missing")
		}
	case "AnonymousRegisteredServiceUsernameProvider", "AnonymousRegisteredServiceUsernameAttributeProvider":
		u.kind = usernamePairwise
		if g := o.child("persistentIdGenerator", true); g != nil {
			g.accept("order")
			u.salt, u.attribute = g.text("salt"), g.text("attribute")
			g.done()
		}
		if len(u.salt) < minSalt {
			in.refuse(o.key("persistentIdGenerator"), "needs a salt of at least %d characters", minSalt)
		}
		in.warn(o.path, "names are made in this server's own way: they are not those that Apereo CAS made")
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
		o.covered = true
		return
	}
	switch mode := strings.ToUpper(o.text("canonicalizationMode")); mode {
	case "", "NONE":
	case "UPPER":
		u.casing = casingUpper
	case "LOWER":
		u.casing = casingLower
	default:
		in.refuse(o.key("canonicalizationMode"), "%s is not known", mode)
	}
	u.scope = o.text("scope")
	if remove := o.text("removePattern"); remove != "" {
		pattern, err := valuePattern(remove, false, false)
		if err != nil {
			in.refuse(o.key("removePattern"), "%v", err)
		}
		u.remove, u.removeSource = pattern, remove
	}
	if o.boolean("encryptUsername", false) {
		in.refuse(o.key("encryptUsername"), "is not supported")
	}
	in.noScripts(o.path, []string{u.attribute, u.value, u.scope})
	if o.has("attribute") {
		in.warn(o.key("attribute"), "has no effect")
	}
	o.accept("order")
	o.done()
}
