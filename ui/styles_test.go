package ui_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func secondsOf(n int) time.Duration { return time.Duration(n) * time.Second }

var tokenLine = regexp.MustCompile(`--([\w-]+): #([0-9a-f]{6});`)

// tokens reads the colours of both themes; the dark one replaces the light.
func tokens(t *testing.T) (map[string]string, map[string]string) {
	t.Helper()
	data, err := os.ReadFile("static/parvis.css")
	if err != nil {
		t.Fatalf("read styles: %v", err)
	}
	bright, rest, found := strings.Cut(string(data), "@media (prefers-color-scheme: dark)")
	night, _, closed := strings.Cut(rest, "\n}\n")
	if !found || !closed {
		t.Fatal("styles have no dark tokens")
	}
	light, dark := map[string]string{}, map[string]string{}
	for _, match := range tokenLine.FindAllStringSubmatch(bright, -1) {
		light[match[1]], dark[match[1]] = match[2], match[2]
	}
	changed := tokenLine.FindAllStringSubmatch(night, -1)
	for _, match := range changed {
		dark[match[1]] = match[2]
	}
	if len(changed) != len(light) {
		t.Errorf("%d colours in the dark, %d in the light", len(changed), len(light))
	}
	return light, dark
}

// luminance follows WCAG 2.2, "relative luminance".
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		value, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("read colour %q: %v", hex, err)
		}
		c := float64(value) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast holds the tokens to WCAG 2.2, 1.4.3 and 1.4.11.
func TestContrast(t *testing.T) {
	const text, control = 4.5, 3.0
	backgrounds := []string{"paper", "stone", "stone-shade", "daylight"}
	light, dark := tokens(t)
	for theme, colours := range map[string]map[string]string{"light": light, "dark": dark} {
		check := func(front, back string, least float64) {
			t.Helper()
			if colours[front] == "" || colours[back] == "" {
				t.Fatalf("%s: no colour %s or %s", theme, front, back)
			}
			if got := contrast(t, colours[front], colours[back]); got < least {
				t.Errorf("%s: %s on %s has contrast %.2f, want %.1f", theme, front, back, got, least)
			}
		}
		for _, back := range backgrounds {
			for _, front := range []string{"ink", "ink-soft", "accent", "accent-strong"} {
				check(front, back, text)
			}
			check("focus", back, control)
		}
		for _, front := range []string{"danger", "success", "warning"} {
			check(front, "paper", text)
			check(front, "stone", text)
		}
		check("accent-ink", "accent", text)
		check("accent-ink", "accent-strong", text)
		check("line", "paper", control)
		check("line", "stone", control)
	}
}

// TestStylesStayHere: no style fetches, and motion is short.
func TestStylesStayHere(t *testing.T) {
	data, err := os.ReadFile("static/parvis.css")
	if err != nil {
		t.Fatalf("read styles: %v", err)
	}
	for _, foreign := range []string{"url(", "@import", "http"} {
		if strings.Contains(string(data), foreign) {
			t.Errorf("styles hold %q", foreign)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)transition:.*$`).FindAllString(string(data), -1) {
		for _, duration := range regexp.MustCompile(`(\.\d+)s`).FindAllStringSubmatch(match, -1) {
			if seconds, err := strconv.ParseFloat(duration[1], 64); err != nil || seconds > 0.15 {
				t.Errorf("%q takes longer than 150 ms", match)
			}
		}
	}
}
