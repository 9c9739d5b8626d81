package casclient_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"parvis/casclient"
)

// A service that adds CAS. A real one goes on with
//
//	http.ListenAndServe(":8080", site)
func Example() {
	client, err := casclient.New(casclient.Options{
		Server:  "https://cas.univ.example/cas",
		Service: "https://cours.univ.example",
	})
	if err != nil {
		log.Fatal(err)
	}
	site := client.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Bonjour %s\n", casclient.User(r.Context()).Name)
	}))

	answer := httptest.NewRecorder()
	site.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/notes?year=2026", http.NoBody))
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	// Output:
	// 303 https://cas.univ.example/cas/login?service=https%3A%2F%2Fcours.univ.example%2Fnotes%3Fyear%3D2026
}
