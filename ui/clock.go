package ui

import (
	"html"
	"html/template"
	"strings"
	"time"
)

// clock says times as people do.
type clock struct {
	words    *words
	now      func() time.Time
	location *time.Location
}

// when is a time element: "à 14 h 05" today, "le 3 mars à 14 h 05" before.
func (c *clock) when(at time.Time) (template.HTML, error) {
	at = at.In(c.location)
	months, err := c.words.say("time.months", nil)
	if err != nil {
		return "", err
	}
	key := "time.day"
	if today := c.now().In(c.location); at.Year() == today.Year() && at.YearDay() == today.YearDay() {
		key = "time.today"
	}
	said, err := c.words.say(key, map[string]any{
		"Day": at.Day(), "Month": strings.Split(months, " ")[at.Month()-1],
		"Hour": at.Hour(), "Hour12": at.Format("3"), "Minute": at.Format("04"), "Half": at.Format("pm"),
	})
	if err != nil {
		return "", err
	}
	return template.HTML(`<time datetime="` + at.Format(time.RFC3339) + `">` + html.EscapeString(said) + `</time>`), nil //nolint:gosec // escaped here
}
