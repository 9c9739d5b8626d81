// Package metrics counts what the server does, for Prometheus.
//
// Labels come from short fixed lists: names of routes, outcomes, kinds. What
// looks like anything else (an address, a name with odd characters) is
// counted as "other", so that no request can make a new time series or put a
// person into one. The package decides nothing and logs nothing.
//
// cmd makes one [Metrics] and hands it around: to httpx.Observe as its
// Recorder, in front of the audit trail as [Metrics.Auditor], around the
// ticket store as [Metrics.Store], and to the operations listener as its
// [Metrics.Handler].
package metrics
