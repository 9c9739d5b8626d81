package ui_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"parvis/internal/httpx"
	"parvis/ui"
)

func charter() *ui.Interruption {
	return &ui.Interruption{
		Title: "Charte", Paragraphs: []string{"<b>Lisez.</b>"}, Steps: []string{"mot de passe", "charte"}, Step: 2,
		Links:   []ui.Link{{Label: "Lire", Address: "/charte"}, {Label: "Non", Address: "javascript:alert(1)"}},
		Hidden:  []ui.Field{{Name: "execution", Value: "e1"}, {Name: "_eventId", Value: "charter"}},
		Choices: []ui.Choice{{Name: "accept", Label: "J’accepte"}, {Name: "news", Label: "Nouvelles", Optional: true}, {Name: "age", Label: "Majeur", Ticked: true}},
		Submit:  "Continuer", Later: "Plus tard",
	}
}

func TestInterruption(t *testing.T) {
	answer := render(t, newRenderer(t, sampleOptions()), "fr", sample{"interruption", 200, charter()})
	elements := parse(t, answer.Body.Bytes())
	if title := strings.TrimSpace(find(elements, "title", "", "").text); title != "Étape 2 sur 2\u00a0: charte – Charte – Université de Valmont" {
		t.Errorf("title %q", title)
	}
	if form := find(elements, "form", "method", "post"); form == nil || form.attributes["action"] != "/cas/login" {
		t.Errorf("form = %v", form)
	}
	for name, want := range map[string]map[string]string{
		"execution": {"type": "hidden", "value": "e1"},
		"_eventId":  {"type": "hidden", "value": "charter"},
		"accept":    {"type": "checkbox", "value": "true", "required": "required", "checked": ""},
		"news":      {"type": "checkbox", "value": "true", "required": "", "checked": ""},
		"age":       {"type": "checkbox", "required": "required", "checked": "checked"},
	} {
		input := find(elements, "input", "name", name)
		if input == nil {
			t.Errorf("no field %s", name)
			continue
		}
		for attribute, value := range want {
			if got := input.attributes[attribute]; got != value {
				t.Errorf("%s: %s = %q, want %q", name, attribute, got, value)
			}
		}
		if input.attributes["aria-invalid"] != "" {
			t.Errorf("%s is marked before anything was sent", name)
		}
	}
	if later := find(elements, "button", "name", ui.LaterField); later == nil || later.attributes["value"] != "true" || strings.TrimSpace(later.text) != "Plus tard" {
		t.Errorf("the second button = %v", later)
	}
	if link := find(elements, "a", "href", "/charte"); link == nil || link.attributes["rel"] != "noopener" || link.attributes["target"] != "_blank" {
		t.Errorf("link = %v", link)
	}
	if current := find(elements, "li", "aria-current", "step"); current == nil {
		t.Error("no step is the current one")
	}
	for _, leak := range []string{"<b>Lisez", "javascript:", ">Non<"} {
		if strings.Contains(answer.Body.String(), leak) {
			t.Errorf("page holds %q", leak)
		}
	}
}

// TestInterruptionShownAgain marks the boxes that must be ticked, and those only.
func TestInterruptionShownAgain(t *testing.T) {
	view := charter()
	view.Problem, view.Step, view.Later = "Cochez la case.", 3, ""
	elements := parse(t, render(t, newRenderer(t, sampleOptions()), "fr", sample{"interruption", 200, view}).Body.Bytes())
	for name, want := range map[string]string{"accept": "true", "news": "", "age": ""} {
		if got := find(elements, "input", "name", name).attributes["aria-invalid"]; got != want {
			t.Errorf("%s: aria-invalid = %q, want %q", name, got, want)
		}
	}
	if find(elements, "a", "href", "#choice-0") == nil || find(elements, "a", "href", "#choice-2") != nil {
		t.Error("the summary does not lead to the box to tick, and to that one only")
	}
	if title := find(elements, "title", "", "").text; !strings.HasPrefix(title, "Erreur – Charte –") {
		t.Errorf("title %q, and there is no third step", title)
	}
	if find(elements, "button", "name", ui.LaterField) != nil {
		t.Error("a second button that was not asked for")
	}
}

// TestInterruptionInABrowser sends what its buttons say, once, with scripts and
// without.
func TestInterruptionInABrowser(t *testing.T) {
	var mu sync.Mutex
	var posted []string
	pages := newRenderer(t, sampleOptions())
	mux := http.NewServeMux()
	mux.Handle("/cas/static/", pages.Static())
	mux.HandleFunc("/cas/login", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			mu.Lock()
			posted = append(posted, "accept="+r.PostFormValue("accept")+" later="+r.PostFormValue(ui.LaterField)+" "+r.PostFormValue("execution"))
			mu.Unlock()
			_, _ = w.Write([]byte("<!doctype html><title>Sent</title>"))
			return
		}
		if err := pages.Write(w, r, http.StatusOK, charter()); err != nil {
			t.Errorf("write page: %v", err)
		}
	})
	server := httptest.NewServer(httpx.Headers(mux, httpx.HeaderOptions{}))
	t.Cleanup(server.Close)
	b := newTab(t)

	b.do(chromedp.Navigate(server.URL+"/cas/login?locale=en"), chromedp.Click(chromedp.CSS("#choice-0")))
	if said := eval[string](b, `(() => {
		const [go, later] = document.querySelectorAll(".actions button");
		go.click(); later.click();
		return go.textContent + " " + later.textContent + " " + later.getAttribute("aria-disabled");
	})()`); said != "One moment… Plus tard true" {
		t.Errorf("while it is sent: %q", said)
	}
	b.until("it was sent", `document.title === "Sent"`)
	b.do(chromedp.Navigate(server.URL+"/cas/login"), chromedp.Click(chromedp.CSS("[name=later]")))
	b.until("later was sent", `document.title === "Sent"`)
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.do(chromedp.Navigate(server.URL+"/cas/login"), chromedp.Click(chromedp.CSS("#choice-0")), chromedp.Click(chromedp.CSS(".actions button")))
	b.until("it was sent without scripts", `document.title === "Sent"`)
	mu.Lock()
	defer mu.Unlock()
	if got, want := strings.Join(posted, "; "), "accept=true later= e1; accept= later=true e1; accept=true later= e1"; got != want {
		t.Errorf("received %q, want %q", got, want)
	}
	b.noFaults()
}
