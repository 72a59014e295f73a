package plan

import (
	"fmt"
	"strings"
)

// JoinKind says which rows a Join gives.
type JoinKind uint8

// The kinds. Anti and semi joins give columns of one side only; kinds that keep
// the right side have their own name, so that rows keep their side. An innerunique
// join is an inner one whose left side is a First.
const (
	InnerJoin JoinKind = iota
	LeftOuterJoin
	RightOuterJoin
	FullOuterJoin
	LeftSemiJoin
	LeftAntiJoin
	RightSemiJoin
	RightAntiJoin
)

var joinKinds = [...]string{"inner", "leftouter", "rightouter", "fullouter", "leftsemi", "leftanti", "rightsemi", "rightanti"}

// String gives the kind as KQL writes it.
func (k JoinKind) String() string { return joinKinds[k] }

// JoinKey is a pair that must be equal; null equals null. L reads the left side,
// R the right one; both have one type.
type JoinKey struct{ L, R Expr }

// Join pairs rows of two relations. Its columns are those of both sides, for semi
// and anti joins those of the side they keep. On the side that may have no partner
// all columns can be null, strings too: who builds an outer join reads them as
// nullable and a string by fn.StoredText.
type Join struct {
	Left, Right Node
	Kind        JoinKind
	// Keys must all hold; without any each row meets each.
	Keys []JoinKey
}

// Inputs are the left and the right side.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

func (n *Join) print(b *strings.Builder) {
	fmt.Fprintf(b, "join %s", n.Kind)
	for i, k := range n.Keys {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " %s = %s", k.L, k.R)
	}
}

func (x *Join) prune(n *needs) Node {
	for _, k := range x.Keys {
		n.add(k.L)
		n.add(k.R)
	}
	x.Left = unsorted(x.Left).prune(n)
	x.Right = unsorted(x.Right).prune(n)
	return x
}

// First keeps the first row of those whose Keys are equal (null equals null), in
// the order of the rows below.
type First struct {
	From Node
	Keys []Expr
}

// Inputs is the thinned relation.
func (n *First) Inputs() []Node { return []Node{n.From} }

func (n *First) print(b *strings.Builder) {
	b.WriteString("first by")
	for i, k := range n.Keys {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + k.String())
	}
}

func (x *First) prune(n *needs) Node {
	for _, k := range x.Keys {
		n.add(k)
	}
	x.From = x.From.prune(n)
	return x
}
