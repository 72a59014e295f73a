package fn

// Window is a function of a row's place among others.
type Window uint8

// The functions of rows in order.
const (
	// RowNumber counts from its argument on.
	RowNumber Window = iota + 1
	// Prev and Next give the value of the row some places before or behind.
	Prev
	Next
	// CumSum adds the values up to and with this row; null adds nothing.
	CumSum
	// RankDense counts the changes of a value, RankMin gives the place of the last
	// change; both begin at 1.
	RankDense
	RankMin
)

var windowNames = [...]string{"", "row_number", "prev", "next", "row_cumsum", "row_rank_dense", "row_rank_min"}

// String gives the function's name as plans print it.
func (w Window) String() string { return windowNames[w] }

// Windows are the functions of rows in order, by name.
var Windows = map[string]Window{
	"row_number": RowNumber, "prev": Prev, "next": Next, "row_cumsum": CumSum,
	"row_rank_dense": RankDense, "row_rank_min": RankMin, "row_rank": RankDense,
}
