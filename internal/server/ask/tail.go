package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wadi-project/wadi/internal/collect/stream"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// Watcher tells of batches that have become durable (stream.Subscription).
type Watcher interface {
	Next(ctx context.Context) (a stream.Arrival, missed int64, err error)
	Close()
}

// tail is one live tail. Arrivals say which rows to ask for: rows of the door's
// log, by _Source and _Seq, which grow with time. The rows themselves, and the
// condition, are a question like any other, over the hot files too.
type tail struct {
	h     *Handler
	out   *eventStream
	name  string // of the table or view, as asked for
	table *schema.Table
	where string
	set   *schema.Set

	waiting []span
	last    int64 // _Seq of the last row that was looked at
	rows    int64 // in waiting
	columns bool  // were told
	since   time.Time
	spoke   time.Time
}

// span is some rows that have arrived: of one source, with consecutive _Seq.
type span struct {
	source    int32
	first, to int64 // to is behind the last
}

// Tail is GET /api/v1/tail.
func (h *Handler) Tail(w http.ResponseWriter, r *http.Request) {
	t := &tail{h: h, name: r.URL.Query().Get("table"), where: r.URL.Query().Get("where")}
	if err := t.prepare(r.Context()); err != nil {
		problemOf(err).send(w)
		return
	}
	select {
	case h.tails <- struct{}{}:
		defer func() { <-h.tails }()
	default:
		p := problem(http.StatusServiceUnavailable, "%d live tails run already", maxTails)
		p.Code = codeBusy
		p.send(w)
		return
	}
	watch := h.config.Watch(t.table)
	defer watch.Close()
	t.out = &eventStream{out: newAnswer(w, formatEvents.mediaType(), false)}
	t.spoke = time.Now()
	if t.out.event("ready", []byte("{}")) != nil {
		return
	}
	t.run(r.Context(), watch)
}

// prepare finds the table and checks the condition.
func (t *tail) prepare(ctx context.Context) (err error) {
	if t.set, err = t.h.config.Query.Lake.Schema(ctx); err != nil {
		return err
	}
	if v := t.set.LookupView(t.name); v != nil {
		t.table = v.Table
	} else if t.table = t.set.LookupTable(t.name); t.table == nil {
		p := problem(http.StatusBadRequest, "there is no table %q", t.name)
		if near := syntax.Nearest(t.name, query.Names(t.set)); near != "" {
			p.Hint = "did you mean " + near + "?"
		}
		return p
	}
	if t.where != "" {
		// Alone, so that it can't close the bracket that it will stand in.
		if _, found := syntax.ParseExpr(t.where); len(found) > 0 {
			return wrongCondition(found, 0)
		}
	}
	_, err = query.Compile(t.text("true"), t.set, t.h.config.Now())
	var wrong *query.Error
	if errors.As(err, &wrong) {
		return wrongCondition(wrong.Diagnostics, strings.Index(wrong.Text, t.where))
	}
	return err
}

// wrongCondition is the problem of a condition's mistakes, whose places are counted
// from before.
func wrongCondition(found []syntax.Diagnostic, before int) *QueryProblem {
	p := problem(http.StatusBadRequest, "the condition is wrong: %s", found[0].Message)
	p.Code, p.Hint = "WrongQuestion", found[0].Hint
	for _, d := range found[:min(len(found), maxDiagnostics)] {
		p.Diagnostics = append(p.Diagnostics, Diagnostic{Message: d.Message, Hint: d.Hint, Start: max(0, d.Start-before), End: max(0, d.End-before)})
	}
	return p
}

// text is the question for rows that meet a predicate of Wadi's and the user's
// condition. That stands in brackets on lines of its own: it can't become more.
func (t *tail) text(predicate string) string {
	if t.where == "" {
		return t.name + "\n| where " + predicate + "\n| sort by _Seq asc"
	}
	return t.name + "\n| where " + predicate + "\n| where (\n" + t.where + "\n)\n| sort by _Seq asc"
}

// run tells what arrives until the client or the server goes.
func (t *tail) run(ctx context.Context, watch Watcher) {
	for {
		missed, err := t.gather(ctx, watch)
		switch {
		case errors.Is(err, stream.ErrClosed), errors.Is(context.Cause(ctx), stream.ErrClosed):
			_ = t.out.event("end", []byte("{}")) // the last thing that is said
			return
		case ctx.Err() != nil:
			return
		case err != nil:
			_ = t.out.event("problem", problemOf(err).json())
			return
		}
		if missed > 0 && t.tell("dropped", map[string]int64{"batches": missed}) != nil {
			return
		}
		if dropped := t.shorten(); dropped > 0 && t.tell("dropped", map[string]int64{"rows": dropped}) != nil {
			return
		}
		if err := t.ask(ctx); err != nil {
			return
		}
		if time.Since(t.spoke) >= aliveEvery {
			t.spoke = time.Now()
			if t.out.comment("alive") != nil {
				return
			}
		}
	}
}

// gather takes arrivals for a while.
func (t *tail) gather(ctx context.Context, watch Watcher) (missed int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, tailEvery)
	defer cancel()
	for {
		a, more, err := watch.Next(ctx)
		missed += more
		switch {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
			return missed, nil
		case err != nil:
			return missed, err
		case a.Count == 0:
			continue
		}
		if len(t.waiting) == 0 {
			t.since = time.Now()
		}
		t.waiting = append(t.waiting, span{a.Source, a.FirstSeq, a.FirstSeq + int64(a.Count)})
		t.rows += int64(a.Count)
	}
}

// shorten drops the oldest rows of a tail that can't keep up, and tells how many.
func (t *tail) shorten() (dropped int64) {
	for len(t.waiting) > 1 && (t.rows > maxBehind || len(t.waiting) > maxSpans) {
		n := t.waiting[0].to - t.waiting[0].first
		t.last = max(t.last, t.waiting[0].to-1)
		t.waiting, t.rows, dropped = t.waiting[1:], t.rows-n, dropped+n
	}
	return dropped
}

func (t *tail) tell(event string, data any) error {
	t.spoke = time.Now()
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return t.out.event(event, b)
}

// ask tells the rows that have become visible, the oldest first. Its error ends the
// tail.
func (t *tail) ask(ctx context.Context) error {
	for len(t.waiting) > 0 {
		// As many rows at once as an answer may have.
		n, rows := 0, int64(0)
		sources := map[int32]bool{}
		for n < len(t.waiting) && (n == 0 || rows+t.waiting[n].to-t.waiting[n].first <= tailRows) {
			rows += t.waiting[n].to - t.waiting[n].first
			sources[t.waiting[n].source] = true
			n++
		}
		of := make([]string, 0, len(sources))
		for _, s := range slices.Sorted(maps.Keys(sources)) {
			of = append(of, strconv.Itoa(int(s)))
		}
		end := t.waiting[n-1].to
		predicate := fmt.Sprintf("_Source in (%s) and _Seq > %d and _Seq < %d", strings.Join(of, ", "), max(t.last, t.waiting[0].first-1), end)
		visible, err := t.visible(ctx, predicate)
		if err != nil || visible == 0 {
			if err == nil && time.Since(t.since) > tailPatience {
				// They were deleted, or the table was: nothing comes any more.
				t.drop(end - 1)
				return t.tell("dropped", map[string]int64{"rows": rows})
			}
			return t.trouble(err)
		}
		err = t.send(ctx, fmt.Sprintf("%s and _Seq <= %d", predicate, visible))
		if err != nil {
			return t.trouble(err)
		}
		t.drop(visible)
		if t.out.out.failed {
			return errGone
		}
		if visible < end-1 {
			return nil // the others become visible soon
		}
	}
	return nil
}

// errGone ends a tail whose client has gone.
var errGone = errors.New("the client has gone")

// drop forgets the rows up to a _Seq.
func (t *tail) drop(last int64) {
	t.last, t.since = max(t.last, last), time.Now()
	for len(t.waiting) > 0 && t.waiting[0].to <= last+1 {
		t.rows -= t.waiting[0].to - t.waiting[0].first
		t.waiting = t.waiting[1:]
	}
}

// trouble tells of an error that ends the tail; too many questions at once only
// delay it.
func (t *tail) trouble(err error) error {
	if err == nil {
		return nil
	}
	p := problemOf(err)
	if p.Code == codeBusy {
		return nil
	}
	_ = t.out.event("problem", p.json()) // the last thing that is said
	return err
}

// visible gives the greatest _Seq that questions see of some rows, 0 for none. Rows
// of a table become visible in the order of _Seq.
func (t *tail) visible(ctx context.Context, predicate string) (seq int64, err error) {
	result, err := query.Run(ctx, t.h.config.Query, t.table.Name+" | where "+predicate+" | summarize Seq = max(_Seq)")
	if err != nil {
		return 0, err
	}
	for result.Next() {
		if !result.Null(0) {
			seq = result.Int(0)
		}
	}
	return seq, result.Close()
}

// send tells the rows that meet a predicate and the condition.
func (t *tail) send(ctx context.Context, predicate string) error {
	q, err := query.Compile(t.text(predicate), t.set, t.h.config.Now())
	if err != nil {
		return err
	}
	result, err := q.Run(ctx, t.h.config.Query)
	if err != nil {
		return err
	}
	if !t.columns {
		t.columns = true
		if err := t.out.event("columns", query.AppendJSONColumns(nil, result.Rows)); err != nil {
			return errors.Join(err, result.Close())
		}
	}
	var rows atomic.Int64
	err = t.out.some(result, &rows, false)
	if rows.Load() > 0 {
		t.spoke = time.Now()
	}
	if err = errors.Join(err, result.Close()); err != nil {
		return err
	}
	if cut := result.Cut(); cut != "" {
		return t.tell("dropped", map[string]string{"reason": cut})
	}
	return nil
}
