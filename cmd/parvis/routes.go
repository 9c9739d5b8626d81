package main

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"parvis/cas"
	"parvis/internal/httpx"
	"parvis/services"
	"parvis/ui"
)

// errNoPage answers an address that leads nowhere.
var errNoPage = errors.New("no such page")

// errMethod answers a method that an address does not have.
var errMethod = errors.New("method not allowed")

// routes lists every public address.
func routes(base string, server *cas.Server, pages *ui.Renderer, registry *services.Registry) http.Handler {
	router := mux.NewRouter().SkipClean(true).UseEncodedPath()
	server.Mount(router)
	router.Handle(base+"/logo/{name}", httpx.Named("logo", httpx.Adapt(logo(registry), server.Fail))).Methods(http.MethodGet, http.MethodHead)
	router.PathPrefix(base + "/static/").Handler(httpx.Named("static", pages.Static()))
	home := http.RedirectHandler(base+"/login", http.StatusFound)
	for _, address := range []string{"/", base, base + "/"} {
		router.Handle(address, httpx.Named("home", home)).Methods(http.MethodGet, http.MethodHead)
	}
	router.NotFoundHandler = httpx.Named("none", httpx.Adapt(func(http.ResponseWriter, *http.Request) error {
		return httpx.Status(http.StatusNotFound, errNoPage)
	}, server.Fail))
	router.MethodNotAllowedHandler = readOnly(server)
	return direct(router)
}

// direct gives a request to its route. The router's own ServeHTTP copies each
// request twice, to note a route that nobody asks for and variables that hardly
// any has: a tenth of what a validation allocates.
func direct(router *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var match mux.RouteMatch
		router.Match(r, &match)
		if len(match.Vars) > 0 {
			r = mux.SetURLVars(r, match.Vars)
		}
		match.Handler.ServeHTTP(w, r)
	})
}

// readOnly refuses other methods than those of the addresses above; the
// protocol's endpoints name their own.
func readOnly(server *cas.Server) http.Handler {
	return httpx.Named("none", httpx.Adapt(func(http.ResponseWriter, *http.Request) error {
		return &httpx.Error{
			Code: http.StatusMethodNotAllowed, Err: errMethod,
			Header: http.Header{"Allow": {"GET, HEAD"}},
		}
	}, server.Fail))
}

// logo answers with the picture of a service. An SVG file may hold scripts, and
// is shown from our own origin: its policy lets none run.
func logo(registry *services.Registry) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		name, err := url.PathUnescape(mux.Vars(r)["name"])
		if err != nil {
			return httpx.Status(http.StatusNotFound, errNoPage)
		}
		picture, ok := registry.LogoNamed(name)
		if !ok {
			return httpx.Status(http.StatusNotFound, errNoPage)
		}
		header := w.Header()
		header.Set("Content-Type", picture.Type)
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
		header.Set("Cache-Control", "public, max-age=3600")
		header.Set("Etag", `"`+picture.Hash+`"`)
		if r.Header.Get("If-None-Match") == header.Get("Etag") {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		_, err = w.Write(picture.Data)
		return err
	}
}
