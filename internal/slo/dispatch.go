package slo

import (
	"container/heap"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"parvis/internal/safehttp"
)

const (
	// maxInHand bounds the items that one node works on: as many as a queue
	// holds, or those of a slow host would keep the others from being taken.
	maxInHand = 100_000
	// life is how long after the logout an application is tried.
	life = 5 * time.Minute
)

// waits are how long to wait before each further try.
func waits() []time.Duration {
	return []time.Duration{5 * time.Second, 25 * time.Second, 90 * time.Second}
}

// job is an item in hand.
type job struct {
	item  Item
	host  *host
	tries int
	// due is when it is tried again.
	due time.Time
	// reason is why the last try failed.
	reason string
}

func (j *job) expires() time.Time { return j.item.Notice.At.Add(life) }

// result is what came of one try.
type result struct {
	job    *job
	status int
	err    error
	// unproven tells how the host was counted.
	unproven bool
}

// dispatcher decides what is sent when. All its fields belong to the goroutine
// of run.
type dispatcher struct {
	o     Options
	waits []time.Duration
	// arrived brings items, and is closed when no more come. ended takes what
	// nobody need work on any more.
	arrived chan []Item
	ended   chan ending
	results chan result

	hosts map[string]*host
	jobs  map[string]*job
	later laters
	// running counts requests under way; unproven those to hosts that did not
	// answer the last time, or were never asked.
	running, unproven int
	keeping           sync.WaitGroup
}

func newDispatcher(o Options) *dispatcher {
	return &dispatcher{
		o: o, waits: waits(), hosts: make(map[string]*host), jobs: make(map[string]*job),
		arrived: make(chan []Item), ended: make(chan ending, addSize), results: make(chan result, o.Workers),
	}
}

// run works until no more items come and all that could be sent at once was, or
// until late ends. Items that wait for another try once ctx has ended stay in
// the queue.
func (d *dispatcher) run(ctx, late context.Context) {
	defer d.keeping.Wait()
	keep := time.NewTicker(keepEvery)
	defer keep.Stop()
	wake := time.NewTimer(0)
	defer wake.Stop()
	arrived := d.arrived
	for {
		wake.Reset(d.start(late))
		if arrived == nil && d.running == 0 {
			return
		}
		from := arrived
		if len(d.jobs) >= maxInHand {
			from = nil
		}
		select {
		case items, more := <-from:
			if !more {
				arrived = nil
			}
			d.accept(items)
		case r := <-d.results:
			d.finished(r, ctx.Err() != nil)
		case <-wake.C:
		case <-keep.C:
			d.keep(late)
		case <-late.Done():
			d.abandon()
			return
		}
	}
}

func (d *dispatcher) accept(items []Item) {
	for _, item := range items {
		if d.jobs[item.ID] != nil {
			continue // it was not kept in time, and came back
		}
		name, ok := hostOf(item.Notice.URL)
		if !ok {
			d.ended <- endingOf(&job{item: item, reason: reasonAddress}, false)
			continue
		}
		h := d.hosts[name]
		if h == nil {
			h = &host{}
			d.hosts[name] = h
		}
		j := &job{item: item, host: h}
		d.jobs[item.ID] = j
		h.jobs++
		h.ready = append(h.ready, j)
	}
	d.forgetHosts()
}

// start sends what may be sent now, ends what has become too old, and tells how
// long nothing will change by itself.
func (d *dispatcher) start(late context.Context) time.Duration {
	const idle = time.Minute
	now := time.Now()
	for len(d.later) > 0 && !d.later[0].due.After(now) {
		j := heap.Pop(&d.later).(*job) //nolint:errcheck // it holds nothing else
		j.host.ready = append(j.host.ready, j)
	}
	next := now.Add(idle)
	if len(d.later) > 0 {
		next = earlier(next, d.later[0].due)
	}
	for _, h := range d.hosts {
		for h.surplus(now) {
			j := h.pop()
			d.end(j, false)
		}
		for d.mayStart(h, now) {
			d.send(late, h.pop(), now)
		}
		if len(h.ready) > 0 {
			next = earlier(next, h.ready[0].expires())
			if h.resume.After(now) {
				next = earlier(next, h.resume)
			}
		}
	}
	return max(0, next.Sub(now))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// mayStart keeps the bounds: of all requests, of those to one host, and of
// those to hosts that may be dead, which leave room for the others.
func (d *dispatcher) mayStart(h *host, now time.Time) bool {
	most := d.o.PerHost
	if !h.proven {
		most = 1
		if 4*d.unproven >= 3*d.o.Workers {
			return false
		}
	}
	return len(h.ready) > 0 && h.running < most && d.running < d.o.Workers && !now.Before(h.resume)
}

// send makes a try. The host is counted as what it was when it began.
func (d *dispatcher) send(late context.Context, j *job, now time.Time) {
	d.running++
	j.host.running++
	j.tries++
	if !j.host.proven {
		d.unproven++
	}
	unproven := !j.host.proven
	id, err := newID(d.o.Random)
	if err != nil {
		d.results <- result{job: j, err: err, unproven: unproven}
		return
	}
	n := &j.item.Notice
	request := safehttp.Request{
		Method: "POST", URL: n.URL, ContentType: contentType, Body: []byte(form(id, now, n.Name, n.Ticket)),
		Networks: n.Networks, AllowHTTP: n.AllowHTTP,
	}
	go func() {
		ctx, cancel := context.WithTimeout(late, d.o.Timeout)
		defer cancel()
		status, err := d.o.Client.Do(ctx, request)
		d.results <- result{job: j, status: status, err: err, unproven: unproven}
	}()
}

// finished judges a try: an answer is the end, but for a server's fault, which
// passes, as silence may.
func (d *dispatcher) finished(r result, stopping bool) {
	j := r.job
	d.running--
	j.host.running--
	if r.unproven {
		d.unproven--
	}
	reason, again := judge(r.status, r.err)
	j.reason = reason
	j.host.note(r, time.Now())
	switch {
	case !again || j.tries > len(d.waits):
		d.end(j, j.reason == "")
	case stopping:
		d.letGo(j) // another node, or the next process, goes on
	default:
		j.due = time.Now().Add(d.waits[j.tries-1])
		heap.Push(&d.later, j)
	}
}

func (d *dispatcher) end(j *job, success bool) {
	d.letGo(j)
	d.ended <- endingOf(j, success)
}

func (d *dispatcher) letGo(j *job) {
	delete(d.jobs, j.item.ID)
	j.host.jobs--
}

// keep tells the queue what is in hand.
func (d *dispatcher) keep(late context.Context) {
	ids := slices.Collect(maps.Keys(d.jobs))
	if len(ids) == 0 {
		return
	}
	d.keeping.Go(func() {
		if err := d.o.Queue.Keep(late, ids); err != nil {
			d.o.Logger.WarnContext(late, "logout requests in hand cannot be kept: some may be sent twice", "error", err)
		}
	})
}

// abandon waits for the requests under way, which the end of their context
// ends.
func (d *dispatcher) abandon() {
	for d.running > 0 {
		d.finished(<-d.results, true)
	}
}

// forgetHosts keeps what is known of hosts from growing: addresses are any that
// a pattern matches.
func (d *dispatcher) forgetHosts() {
	const many = 2000
	if len(d.hosts) > many {
		maps.DeleteFunc(d.hosts, func(_ string, h *host) bool { return h.jobs == 0 })
	}
}

// laters are jobs by when they are due, as a heap.
type laters []*job

func (l laters) Len() int           { return len(l) }
func (l laters) Less(i, j int) bool { return l[i].due.Before(l[j].due) }
func (l laters) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push and Pop are for container/heap.
func (l *laters) Push(x any) { *l = append(*l, x.(*job)) } //nolint:errcheck // it holds nothing else

func (l *laters) Pop() any {
	last := len(*l) - 1
	j := (*l)[last]
	*l = (*l)[:last]
	return j
}
