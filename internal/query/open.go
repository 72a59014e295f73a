package query

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/plan"
)

// planned gives a question its plan when its columns depend on the data: what the
// binder needs to know is asked over the rows so far.
func (q *Question) planned(ctx context.Context, c *Config) (*Question, error) {
	if q.open == "" {
		return q, nil
	}
	return compile(q.open, q.set, q.now, q.within, func(p *plan.Plan) ([]byte, error) { return askOne(ctx, c, p) })
}

// askOne asks a question of one row with one dynamic value.
func askOne(ctx context.Context, c *Config, p *plan.Plan) (value []byte, err error) {
	statement, err := duck.Emit(p)
	if err != nil {
		return nil, fmt.Errorf("cannot plan the question: %w", err)
	}
	result, err := (&Question{plan: p, statement: statement}).Run(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	if result.Next() {
		value = slices.Clone(result.Text(0))
	}
	return value, nil
}
