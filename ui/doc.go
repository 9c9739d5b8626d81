// Package ui draws every page that a person sees: the login form and the pages
// around it, in French and in English, in the house's style or in a site's
// theme.
//
// A page is a struct that implements [View]; [Renderer.Write] turns it into an
// answer. Templates are parsed once per language when the server starts, and
// every word that does not change is laid into them then, so that writing a
// page costs little more than copying it.
//
// Package ui decides nothing: it checks no password, reads no session, parses
// no service address, and never writes one in another form than the one it was
// given. Its pages ask for nothing outside their own origin, hold no script, no
// style and no handler inline, and work without scripts.
//
// The rooms that speak to people (cas, account, ent) fill views; cmd builds the
// Renderer and mounts [Renderer.Static].
package ui
