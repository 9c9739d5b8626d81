package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are all that is counted. Its methods are safe for concurrent use.
type Metrics struct {
	registry      *prometheus.Registry
	requests      *prometheus.HistogramVec
	logins        *prometheus.CounterVec
	tickets       *prometheus.CounterVec
	sessionsEnded *prometheus.CounterVec
	refused       prometheus.Counter
	logouts       *prometheus.CounterVec
	directory     *prometheus.HistogramVec
	store         *prometheus.HistogramVec
}

// Build says which program is running.
type Build struct{ Version, Go string }

// latencies are the bounds of histograms, in seconds: fine where validations
// are, and up to where clients give up.
var latencies = []float64{.0002, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// New returns Metrics with nothing counted yet, in a registry of their own.
func New(build Build) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: histogram("parvis_http_request_duration_seconds",
			"Time to answer requests, by route and class of status.", "route", "code"),
		logins: counter("parvis_logins_total",
			"Passwords tried, by outcome: success, failure, refused (account may not be used), throttled.", "outcome"),
		tickets: counter("parvis_tickets_total",
			"Tickets by kind, by what was done (granted, validated), and by outcome.", "kind", "action", "outcome"),
		sessionsEnded: counter("parvis_sessions_ended_total",
			"Sessions that were ended before they expired, by cause: logout, replaced, too_many, account_stopped.", "cause"),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parvis_services_refused_total", Help: "Requests that named a service which may not be served.",
		}),
		logouts: counter("parvis_logout_requests_total",
			"Logout requests to applications that ended, by outcome: success, failure.", "outcome"),
		directory: histogram("parvis_directory_duration_seconds",
			"Time that the directory took, by operation and result.", "operation", "result"),
		store: histogram("parvis_store_duration_seconds",
			"Time that the ticket store took, by operation and result.", "operation", "result"),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parvis_build_info", Help: "1, with what is running in the labels.",
		ConstLabels: prometheus.Labels{"version": build.Version, "go": build.Go},
	})
	info.Set(1)
	m.registry.MustRegister(
		info, m.requests, m.logins, m.tickets, m.sessionsEnded, m.refused, m.logouts, m.directory, m.store,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler serves the metrics. Few scrapes run at once: each costs memory.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Request counts an answered request by the name of its route.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(label(route), class(status)).Observe(took.Seconds())
}

// Directory counts a call to the directory, by what came of it.
func (m *Metrics) Directory(operation string, took time.Duration, err error) {
	m.directory.WithLabelValues(label(operation), directoryResult(err)).Observe(took.Seconds())
}

// Services tells, at each scrape, how many entries are in use and how many files
// could not be taken.
func (m *Metrics) Services(count func() (inUse, faulty int)) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parvis_services", Help: "Entries of services in use.",
		}, func() float64 { inUse, _ := count(); return float64(inUse) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parvis_services_faults", Help: "Service files that cannot be taken: what they last said, if anything, is in use.",
		}, func() float64 { _, faulty := count(); return float64(faulty) }),
	)
}

func histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: latencies}, labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// class is the class of a status ("2xx").
func class(status int) string {
	classes := [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}
	if status < 100 || status > 599 {
		return other
	}
	return classes[status/100-1]
}

// other stands for a label that no list knows.
const other = "other"

// label lets through what can be a name of ours.
func label(name string) string {
	const longest = 32
	if name == "" || len(name) > longest {
		return other
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return other
		}
	}
	return name
}
